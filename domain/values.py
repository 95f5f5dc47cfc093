"""Value objects that events and commands share, and the shapes of names and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from domain.errors import BadInputError
from domain.events import Value

Role = Literal["analyst", "sys-admin"]
ROLES: tuple[Role, ...] = ("analyst", "sys-admin")

TrainingState = Literal["blank", "requested", "started", "completed", "failed", "cancelled"]
TaskState = Literal["requested", "started", "completed", "failed", "cancelled"]
Standing = Literal["uncommitted", "committed", "discarded"]
LearningTask = Literal["classification", "regression"]
Verdict = Literal["bit-identical", "metric-equal", "different", "not-possible"]

UNFINISHED: frozenset[str] = frozenset({"requested", "started"})

MAX_EXPERIMENTS_OF_A_SESSION = 500
MAX_SEARCHES_OF_A_SESSION = 100
MAX_ATTEMPTS = 3
MAX_TEXT = 4096
MAX_SEED = 2**32 - 1  # what NumPy takes
SHORTEST_ID_PREFIX = 4  # characters of an experiment's id

CLIENT_NAME = re.compile(r"[a-z0-9-]{1,40}")
CATALOG_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
TASK_ID = re.compile(r"(?P<owner>[a-z2-7]{16})-(?P<letter>[erpt])(?P<number>[1-9][0-9]{0,5})")
KINDS = {"e": "evaluation", "r": "reproduction", "p": "proposal", "t": "trial"}
KINDS_OF_SEARCH = frozenset({"proposal", "trial"})


class DatasetRef(Value):
    """A data set pinned by content: name, version (1, 2, …) and the SHA-256 (hex) of its stored Parquet file."""

    name: str
    version: int
    sha256: str

    @property
    def seed(self) -> int:
        """The seed of its trainings that name none: 0 .. 2^31-1, always the same for this content."""
        return int(self.sha256[:8], 16) >> 1


class SplitRequest(Value):
    """How a training holds rows out: at random, whole groups of a column, its latest times, or another data set."""

    method: Literal["random", "group", "time", "dataset"] = "random"
    column: str | None = None
    dataset: DatasetRef | None = None

    def __str__(self) -> str:
        """Write it as it is asked for, a data set with its version: `random`, `time:date`, `dataset:wine@2`."""
        of = self.column if self.dataset is None else f"{self.dataset.name}@{self.dataset.version}"
        return self.method if of is None else f"{self.method}:{of}"


class ModelRef(Value):
    """A model as it was offered: name, distribution that brings it, and that distribution's version."""

    name: str
    version: str
    distribution: str


class BlobRef(Value):
    """A content-addressed blob: SHA-256 (hex) and size in bytes."""

    sha256: str
    size: int


class Split(Value):
    """The held-out split of a training: row counts and the SHA-256 of the held-out row numbers.

    The held-out rows are the data set's own, or those of the data set that the training named for it.
    """

    train_rows: int
    test_rows: int
    sha256: str


NOT_SPLIT = dict.fromkeys(Split.model_fields)  # what is known of a split before its training


class Training(Value):
    """What a completed training left: blobs, a summary of the learned parameters (<= 2 KB), split and provenance."""

    learned: Any
    model_blob: BlobRef
    learned_blob: BlobRef
    split: Split
    provenance: dict[str, Any]
    fit_seconds: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the fit warned of; the summary has it."""
        return tuple(self._summary.get("warnings", ()))

    @property
    def features(self) -> int | None:
        """How many columns the model gets, each word of a one-hot column counted; None where the summary lacks it."""
        return self._summary.get("features")

    @property
    def _summary(self) -> dict[str, Any]:
        return self.learned if isinstance(self.learned, dict) else {}


class EvaluationNotes(Value):
    """What belongs to an evaluation's values: their intervals, why some are none, warnings, large tables as blobs.

    By identity, like the values: 95 % `intervals` from so many bootstrap `resamples`; of a cross-validation the values
    of its `folds` and their `spread` (standard deviation); `reasons`; `tables`. `positive` is the one of two classes
    that `…:binary` counts, `threshold` the probability from which it was predicted, where that was not the model's own.
    `report` is the blob of the report as JSON; evaluations of release 0.1.0 have none.
    """

    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    resamples: int = 0
    spread: dict[str, float] = Field(default_factory=dict)
    folds: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    threshold: float | None = None
    reasons: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    positive: str | None = None
    tables: dict[str, BlobRef] = Field(default_factory=dict)
    report: BlobRef | None = None

    def told_with(self, measures: dict[str, Any]) -> dict[str, Any]:
        """Return values and notes as answers have them: of a large table its blob, the positive class by identity."""
        tables = {name: {"blob": it.sha256, "size": it.size} for name, it in self.tables.items()}
        counted = [name for name in measures if ":binary" in name or self.threshold is not None]
        positives = {} if self.positive is None else dict.fromkeys(counted, self.positive)
        told = self.model_dump(mode="json", exclude={"tables", "positive"})
        return {"measures": measures | tables, **told, "positives": positives}


NO_NOTES = EvaluationNotes()
NOTHING_MEASURED: dict[str, Any] = NO_NOTES.told_with({})
BY_IDENTITY = ("intervals", "spread", "folds", "reasons", "positives")


def add_measured(before: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of an experiment's measures after one more evaluation: it supersedes by identity."""
    superseded = told["measures"].keys()
    return {
        "measures": before["measures"] | told["measures"],
        **{
            key: {name: it for name, it in before[key].items() if name not in superseded} | told[key]
            for key in BY_IDENTITY
        },
        **{key: told[key] or before[key] for key in ("resamples", "threshold", "report")},
        "warnings": list(dict.fromkeys((*before["warnings"], *told["warnings"]))),
    }


class Folds(Value):
    """A cross-validation: `kfold` in `k` folds, `repeats` times over, or `loo`, which leaves out each row by itself."""

    kind: Literal["kfold", "loo"]
    k: int | None = None
    repeats: int = 1

    @property
    def suffix(self) -> str:
        """Return what it adds to an identity: `/cv5`, `/cv5x3`, `/loo`."""
        return "/loo" if self.kind == "loo" else f"/cv{self.k}{f'x{self.repeats}' if self.repeats > 1 else ''}"

    def check_split(self, method: str) -> None:
        """Refuse folds that contradict how the training was split."""
        if method in {"group", "time"} and self.kind == "loo":
            msg = "loo leaves out single rows, and the training's split keeps rows together: take a number of folds."
            raise BadInputError(msg)
        if method == "time" and self.repeats > 1:
            raise BadInputError("Folds in the order of times are the same each time: leave out the repeats.")

    def check_classes(self, rows: Mapping[str, int]) -> None:
        """Refuse more folds than the rarest class has rows; those of each class are given."""
        name = min(rows, key=lambda each: rows[each])
        if rows[name] == 1:
            msg = f"Class {name!r} has 1 row: no cross-validation can both learn from it and hold it out."
            raise BadInputError(msg)
        if self.k is not None and rows[name] < self.k:
            few = f"has {rows[name]} rows, fewer than {self.k} folds"
            raise BadInputError(f"The rarest class, {name!r}, {few}: at most {rows[name]} folds.")


Threshold = float | Literal["best:f1"]


class EvaluationOptions(Value):
    """How an evaluation is made; `None` and False are the defaults.

    `folds` fits again on the folds of a cross-validation; the `positive` class is predicted from a probability of
    `threshold` on; measures are computed `by` the values of a column, too, and so is the `importance` of each column.
    """

    folds: Folds | None = None
    threshold: Threshold | None = None
    positive: str | None = None
    by: str | None = None
    importance: bool = False

    @property
    def suffix(self) -> str:
        """Return what it adds to an identity: `/cv5`, `/t0.3`, `/best-f1`."""
        folds = self.folds.suffix if self.folds else ""
        return folds if self.threshold is None else f"{folds}/{_name_threshold(self.threshold)}"


NO_OPTIONS = EvaluationOptions()


def _name_threshold(threshold: Threshold) -> str:
    return "best-f1" if threshold == "best:f1" else f"t{threshold}"


class MeasureSpec(Value):
    """A measure with its averaging (None if it has none), e.g. `precision:macro`."""

    name: str
    average: str | None = None

    @property
    def identity(self) -> str:
        """The explicit name that results and filters use."""
        return f"{self.name}:{self.average}" if self.average else self.name


def check_client_name(name: str) -> str:
    """Return a client's name, or refuse it with the rule."""
    if not CLIENT_NAME.fullmatch(name):
        raise BadInputError(f"{name!r} is not a client name: 1 to 40 characters of a-z, 0-9 and '-'.")
    return name


def check_catalog_name(name: str) -> str:
    """Return the name of a data set, model or measure, or refuse it with the rule."""
    if not CATALOG_NAME.fullmatch(name):
        msg = f"{name!r} is not a name: 1 to 64 characters of a-z, 0-9, '.', '_' and '-', first a letter or digit."
        raise BadInputError(msg)
    return name


def check_id_prefix(given: str) -> str:
    """Return a prefix of an experiment's id, or refuse one that is too short to stay unique."""
    if len(given) < SHORTEST_ID_PREFIX:
        raise BadInputError(f"{given!r} is too short: give {SHORTEST_ID_PREFIX} or more characters of an id.")
    return given


def check_text(what: str, text: str) -> str:
    """Return a person's text (message, annotation, reason), or refuse an empty or overlong one."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise BadInputError(f"The {what} must have 1 to {MAX_TEXT} characters.")
    return text


def session_stream(client: str, number: int) -> str:
    return f"session:{client}:{number}"


def stream_of_session(session: str) -> str:
    """Return the stream of a session from its name (`ana-3`)."""
    client, _, number = session.rpartition("-")
    return session_stream(client, int(number))


def session_id(stream: str) -> str:
    """Name a session as users see it (`ana-3`) from its stream (`session:ana:3`)."""
    _, client, number = stream.split(":")
    return f"{client}-{number}"


def owner_of_task(task: str) -> str:
    """Return the id of the experiment or search that a task belongs to."""
    match = TASK_ID.fullmatch(task)
    return match["owner"] if match else task


def kind_of_task(task: str) -> str:
    """Return training, evaluation, reproduction, proposal or trial, by a task's id."""
    match = TASK_ID.fullmatch(task)
    return "training" if match is None else KINDS[match["letter"]]


def stream_of_task(task: str) -> str:
    """Return the stream of the experiment or search that a task belongs to."""
    owner = owner_of_task(task)
    return search_stream(owner) if kind_of_task(task) in KINDS_OF_SEARCH else experiment_stream(owner)


def experiment_stream(experiment: str) -> str:
    return f"experiment:{experiment}"


def search_stream(search: str) -> str:
    return f"search:{search}"


def experiment_of_stream(stream: str) -> str | None:
    """Return the experiment's id if the stream belongs to an experiment."""
    kind, _, name = stream.partition(":")
    return name if kind == "experiment" else None
