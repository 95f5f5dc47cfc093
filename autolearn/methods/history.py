"""The history in Python: committed experiments, one of them, several side by side, and reports."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from autolearn.answers import Response
from autolearn.comparison import ComparedExperiments, compare_experiments
from autolearn.errors import InvalidInputError
from autolearn.methods import Methods, Named, id_in
from autolearn.model_files import check_model_name, download_model
from autolearn.moments import Moment, Time, as_of_text, time_text
from autolearn.requests import annotation_request, reason_request
from autolearn.results import Pages, Proof, Result, Table
from autolearn.views import Block, Facts, View
from autolearn.views.experiment import experiment_blocks
from autolearn.views.history import history_blocks, names_in
from autolearn.views.report import report_blocks


class Experiment(Result):
    """What is known of an experiment; one of a list knows less than the answer of `show`."""

    __slots__ = ()
    experiment: str
    state: str
    standing: str | None
    session: str | None
    actor: str | None
    committed_at: str | None
    withdrawn: bool | None
    dataset: dict[str, Any]
    target: str | None
    model: dict[str, Any]
    settings: dict[str, Any]
    seed: int
    split: dict[str, Any]
    measures: dict[str, Any]
    intervals: dict[str, list[float]] | None
    learned: dict[str, Any] | None
    fit_seconds: float | None
    provenance: dict[str, Any] | None
    events: list[dict[str, Any]] | None
    annotations: list[dict[str, Any]] | None
    VIEW: ClassVar[View] = View(experiment_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("experiment", "state", "committed_at")


class Report(Result):
    """How a model did: per class, curves, slices, the rows that went most wrong."""

    __slots__ = ()
    experiment: str
    evaluation: str
    task: str
    rows: int
    measures: dict[str, float | None]
    VIEW: ClassVar[View] = View(report_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("evaluation", "rows")


class Comparison(Table[Result]):
    """Experiments side by side: a row for each fact, those that differ first."""

    __slots__ = ("_compared",)
    _compared: ComparedExperiments
    experiments: list[str]
    rows: list[dict[str, Any]]

    def __init__(self, compared: ComparedExperiments) -> None:
        super().__init__(compared.body, Proof(compared.position))
        object.__setattr__(self, "_compared", compared)

    def __iter__(self) -> Any:
        return (Result(row, self.proof) for row in self._compared.table(self.facts))

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.experiments)}, position={self.position})"

    def blocks(self) -> list[Block]:
        return self._compared.blocks(self.facts)


class Exported(Result):
    """A model that was written to a file."""

    __slots__ = ()
    experiment: str
    file: str
    bytes: int
    sha256: str
    NAMES: ClassVar[tuple[str, ...]] = ("experiment", "file")


class HistoryMethods(Methods):
    """What happened to committed experiments."""

    def history(
        self,
        *,
        where: str | None = None,
        model: str | None = None,
        dataset: str | None = None,
        actor: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        sort: str | None = None,
        limit: int | None = None,
        withdrawn: bool = False,
        as_of: Moment | None = None,
    ) -> Pages[Experiment]:
        """Return the committed experiments, newest first; `where` is a filter, `sort` a column such as `-precision`."""
        query: Facts = {"where": where, "model": model, "dataset": dataset, "actor": actor, "sort": sort}
        query |= {"since": time_text(since), "until": time_text(until), "withdrawn": 1 if withdrawn else None}

        def ask(rows: int, cursor: str | None) -> Response:
            return self._ask("experiments", as_of=as_of, limit=rows, cursor=cursor, **query)

        view = View(partial(history_blocks, names_in(where, sort)), rows="experiments")
        return Pages(ask, Experiment, view, limit)

    def show(self, experiment: Named, *, as_of: Moment | None = None) -> Experiment:
        """Return everything known about an experiment, by its id or the beginning of it, 4 characters or more."""
        return Experiment.of(self._ask("experiments", id_in(experiment), as_of=as_of))

    def compare(self, *experiments: Named, as_of: Moment | None = None) -> Comparison:
        """Return experiments side by side."""
        return Comparison(compare_experiments(self.client, [id_in(it) for it in experiments], as_of_text(as_of)))

    def report(self, experiment: Named, *, evaluation: Named | None = None, as_of: Moment | None = None) -> Report:
        """Return the report of an experiment's newest evaluation, or of the named one."""
        which = None if evaluation is None else id_in(evaluation, "evaluation")
        return Report.of(self._ask("experiments", id_in(experiment), "report", evaluation=which, as_of=as_of))

    def annotate(self, experiment: Named, text: str, *, reason: str = "remark") -> Experiment:
        """Add a remark to a committed experiment."""
        return self._change(experiment, "annotations", annotation_request(text, reason))

    def withdraw(self, experiment: Named, *, reason: str) -> Experiment:
        """Take a committed experiment out of the history; it stays readable by its id."""
        return self._change(experiment, "withdrawal", reason_request(reason))

    def restore(self, experiment: Named, *, reason: str) -> Experiment:
        """Put a withdrawn experiment back into the history."""
        return self._change(experiment, "restoration", reason_request(reason))

    def export(
        self, experiment: Named, file: str | Path, *, force: bool = False, as_of: Moment | None = None
    ) -> Exported:
        """Write the fitted model to a skops file, or to ONNX where the name ends in .onnx; its SHA-256 is checked.

        It is written whole or not at all, and only with `force` over another file.
        """
        path = Path(file)
        if path.exists() and not force:
            raise InvalidInputError(f"{path} exists already: name another file, or overwrite it with force=True.")
        check_model_name(path)
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            with draft.open("xb"):
                pass
            facts, shown = download_model(self.client, id_in(experiment), path, draft, as_of_text(as_of))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return Exported(facts | {"file": str(path)}, Proof.of(shown))

    def _change(self, experiment: Named, what: str, body: Facts) -> Experiment:
        return Experiment.of(self.client.post("experiments", id_in(experiment), what, body=body))
