"""The events of `experiment:<id>` and how each changes the experiment.

A training, evaluation or reproduction is a task of its experiment; `task` is its id (a training's: the experiment's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from domain.events import Event
from domain.task_events import AllTasksEnded, TaskCancelled, TaskCompleted, TaskFailed, TaskRequested, TaskStarted
from domain.values import (
    NO_NOTES,
    DatasetRef,
    EvaluationNotes,
    EvaluationOptions,
    Folds,
    LearningTask,
    MeasureSpec,
    ModelRef,
    SplitRequest,
    Threshold,
    Training,
    Verdict,
    add_measured,
)

if TYPE_CHECKING:
    from domain.experiment import Experiment


class TrainingRequested(TaskRequested):
    """The experiment begins: this model is to be fitted on these columns of a data set with all these settings.

    No `target` means the data set's own, no `columns` all but the target. `preparation` is the version of the rules by
    which columns become what an estimator takes. `memory` (bytes) and `deadline` (seconds) are the limits of its
    tasks; none means those of the machine that runs them. `search` is the id of the search that found these settings.
    `learning_task` says whether classes or numbers are predicted.
    """

    NAME: ClassVar[str] = "training-requested.v2"
    KIND: ClassVar[str] = "training"
    owner: str
    session: str
    dataset: DatasetRef
    target: str | None
    columns: tuple[str, ...] | None
    model: ModelRef
    settings: dict[str, Any]
    preparation: int
    seed: int
    test_size: float
    split: SplitRequest
    memory: int | None
    deadline: float | None
    search: str | None
    learning_task: LearningTask = "classification"

    @property
    def client(self) -> str:
        return self.owner

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        aggregate.request = self


class TrainingStarted(TaskStarted):
    """A worker claimed the training."""

    NAME: ClassVar[str] = "training-started.v1"


class TrainingCompleted(TaskCompleted):
    """The model is fitted and its blobs are stored."""

    NAME: ClassVar[str] = "training-completed.v1"
    result: Training

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        aggregate.result = self.result
        aggregate.measured |= {"warnings": list(self.result.warnings)}


class TrainingFailed(TaskFailed):
    """The training ended without a model."""

    NAME: ClassVar[str] = "training-failed.v1"


class TrainingCancelled(TaskCancelled):
    """The training was cancelled."""

    NAME: ClassVar[str] = "training-cancelled.v1"


class EvaluationRequested(TaskRequested):
    """These measures are to be computed: on the held-out part, on the folds, or `on` a named data set.

    The other facts are those of `EvaluationOptions`.
    """

    NAME: ClassVar[str] = "evaluation-requested.v2"
    KIND: ClassVar[str] = "evaluation"
    measures: tuple[MeasureSpec, ...]
    on: DatasetRef | None = None
    folds: Folds | None = None
    threshold: Threshold | None = None
    positive: str | None = None
    by: str | None = None
    importance: bool = False

    @property
    def options(self) -> EvaluationOptions:
        """How the evaluation is to be made."""
        return EvaluationOptions(**{name: getattr(self, name) for name in EvaluationOptions.model_fields})

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        aggregate.tasks[self.task].request = self


class EvaluationStarted(TaskStarted):
    """A worker claimed the evaluation."""

    NAME: ClassVar[str] = "evaluation-started.v1"


class EvaluationCompleted(TaskCompleted):
    """The values by identity (`precision:macro`, `precision:macro@wine`); numbers, or tables as nested lists."""

    NAME: ClassVar[str] = "evaluation-completed.v2"
    measures: dict[str, Any]
    notes: EvaluationNotes = NO_NOTES

    @property
    def told(self) -> dict[str, Any]:
        """Values and notes as they are answered."""
        return self.notes.told_with(self.measures)

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        aggregate.tasks[self.task].outcome = self.told
        aggregate.measured = add_measured(aggregate.measured, self.told)


class EvaluationFailed(TaskFailed):
    """The evaluation ended without values."""

    NAME: ClassVar[str] = "evaluation-failed.v1"


class EvaluationCancelled(TaskCancelled):
    """The evaluation was cancelled."""

    NAME: ClassVar[str] = "evaluation-cancelled.v1"


class ReproductionRequested(TaskRequested):
    """The training is to be done again from its record and compared."""

    NAME: ClassVar[str] = "reproduction-requested.v1"
    KIND: ClassVar[str] = "reproduction"


class ReproductionStarted(TaskStarted):
    """A worker claimed the reproduction."""

    NAME: ClassVar[str] = "reproduction-started.v1"


class ReproductionCompleted(TaskCompleted):
    """The verdict, and what differed or why it was not possible."""

    NAME: ClassVar[str] = "reproduction-completed.v1"
    verdict: Verdict
    differences: tuple[str, ...]

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        outcome = {"verdict": self.verdict, "differences": list(self.differences)}
        aggregate.tasks[self.task].outcome = outcome


class ReproductionFailed(TaskFailed):
    """The reproduction ended without a verdict."""

    NAME: ClassVar[str] = "reproduction-failed.v1"


class ReproductionCancelled(TaskCancelled):
    """The reproduction was cancelled."""

    NAME: ClassVar[str] = "reproduction-cancelled.v1"


class ExperimentCommitted(Event):
    """The experiment belongs to the history for ever."""

    NAME: ClassVar[str] = "experiment-committed.v1"
    session: str

    def apply(self, aggregate: Experiment) -> None:
        aggregate.standing = "committed"


class ExperimentDiscarded(AllTasksEnded):
    """The experiment was discarded with its session; this cancels its unfinished tasks."""

    NAME: ClassVar[str] = "experiment-discarded.v1"
    session: str

    def apply(self, aggregate: Experiment) -> None:
        super().apply(aggregate)
        aggregate.standing = "discarded"


class ExperimentAnnotated(Event):
    """A remark on a committed experiment."""

    NAME: ClassVar[str] = "experiment-annotated.v1"
    text: str
    reason: str


class ExperimentWithdrawn(Event):
    """The experiment leaves the history (it stays readable by id)."""

    NAME: ClassVar[str] = "experiment-withdrawn.v1"
    reason: str

    def apply(self, aggregate: Experiment) -> None:
        aggregate.withdrawn = True


class ExperimentRestored(Event):
    """The experiment is back in the history."""

    NAME: ClassVar[str] = "experiment-restored.v1"
    reason: str

    def apply(self, aggregate: Experiment) -> None:
        aggregate.withdrawn = False
