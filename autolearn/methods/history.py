"""The history in Python: committed experiments, one of them, several side by side, and reports."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from autolearn.answers import Response
from autolearn.comparison import ComparedExperiments, compare_experiments
from autolearn.methods import Methods, Named, id_in
from autolearn.moments import Moment, Time, as_of_text, time_text
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
