"""The events of `search:<id>` and how each changes the search.

Proposals (which settings to try next) and trials (one model with settings, on all folds) are tasks of their search.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from domain.events import Event, Value
from domain.search_space import SearchedModel, Strategy
from domain.task_events import AllTasksEnded, TaskCompleted, TaskFailed, TaskRequested, TasksRequested, TaskStarted
from domain.values import DatasetRef, Folds, LearningTask, MeasureSpec, SplitRequest

if TYPE_CHECKING:
    from domain.search import Search


class Trial(Value):
    """One try: a model with those settings that vary, on so many rows of the training part (None: on all)."""

    number: int
    model: str
    settings: dict[str, Any]
    rows: int | None


class TrialResult(Value):
    """The measure on each fold, mean and standard deviation (None: none, `reason` says why), and what was warned of.

    `seconds` is the time of all fits and scores together.
    """

    folds: tuple[float | None, ...]
    mean: float | None
    std: float | None
    lower_is_better: bool
    seconds: float
    warnings: tuple[str, ...] = ()
    reason: str | None = None


class SearchRequested(Event):
    """The search begins: so many trials of these models are to be ranked by a measure, and the best `keep` trained.

    It ends at `until` (UTC) with what it has by then.
    """

    NAME: ClassVar[str] = "search-requested.v1"
    owner: str
    session: str
    dataset: DatasetRef
    target: str
    columns: tuple[str, ...] | None
    models: tuple[SearchedModel, ...]
    strategy: Strategy
    trials: int
    folds: Folds
    measure: MeasureSpec
    seed: int
    test_size: float
    split: SplitRequest
    memory: int | None
    keep: int
    deadline: float | None
    until: datetime | None
    learning_task: LearningTask = "classification"

    def apply(self, aggregate: Search) -> None:
        aggregate.request, aggregate.state = self, "requested"

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked for, as answers have it."""
        kept = ("session", "owner", "dataset", "target", "columns", "strategy", "folds")
        asked = self.model_dump(mode="json", include={*kept, "seed", "test_size", "memory", "keep", "deadline"})
        models = [
            {"name": it.model.name, "version": it.model.version, "settings": it.settings}
            | {"space": {name: space.model_dump(mode="json") for name, space in it.space.items()}}
            for it in self.models
        ]
        search = self.originator_id.partition(":")[2]
        return asked | {
            "search": search,
            "models": models,
            "planned": self.trials,
            "by": self.measure.identity,
            "split": str(self.split),
        }


class ProposalRequested(TaskRequested):
    """The settings of the next round of trials are to be chosen."""

    NAME: ClassVar[str] = "proposal-requested.v1"
    KIND: ClassVar[str] = "proposal"
    owner: str
    round: int

    @property
    def client(self) -> str:
        return self.owner

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.round = self.round


class ProposalStarted(TaskStarted):
    """A worker claimed the proposal."""

    NAME: ClassVar[str] = "proposal-started.v1"

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.state = "started"


class ProposalCompleted(TaskCompleted):
    """The trials of a round are chosen; no round follows the last."""

    NAME: ClassVar[str] = "proposal-completed.v1"
    is_last: bool

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.is_last_round = self.is_last


class ProposalFailed(TaskFailed):
    """The proposal ended without trials."""

    NAME: ClassVar[str] = "proposal-failed.v1"


class TrialsProposed(TasksRequested):
    """These trials wait for workers, each a task `<search>-t<number>`."""

    NAME: ClassVar[str] = "trials-proposed.v1"
    owner: str
    round: int
    trials: tuple[Trial, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        search = self.originator_id.partition(":")[2]
        return tuple(f"{search}-t{trial.number}" for trial in self.trials)

    @property
    def client(self) -> str:
        return self.owner

    def apply(self, aggregate: Search) -> None:
        for task, trial in zip(self.tasks, self.trials, strict=True):
            aggregate.add_task("trial", task, self)
            aggregate.trials[task] = trial


class TrialStarted(TaskStarted):
    """A worker claimed the trial."""

    NAME: ClassVar[str] = "trial-started.v1"


class TrialCompleted(TaskCompleted):
    """The model was fitted and measured on each fold."""

    NAME: ClassVar[str] = "trial-completed.v1"
    result: TrialResult

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.results[self.task] = self.result


class TrialFailed(TaskFailed):
    """The trial ended without a result; it ranks last."""

    NAME: ClassVar[str] = "trial-failed.v1"


class SearchCompleted(AllTasksEnded):
    """The trials by rank, those without a value last; the best are trained as experiments of the session.

    `stopped` says why there are not all: deadline, or the reason of a proposal that failed.
    """

    NAME: ClassVar[str] = "search-completed.v1"
    ranking: tuple[int, ...]
    experiments: tuple[str, ...]
    stopped: str | None

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.state, aggregate.experiments, aggregate.stopped = "completed", self.experiments, self.stopped


class SearchFailed(AllTasksEnded):
    """No trial has a value to rank: reason (of the first that failed, or deadline) and a sentence."""

    NAME: ClassVar[str] = "search-failed.v1"
    reason: str
    detail: str

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.state, aggregate.error = "failed", {"reason": self.reason, "detail": self.detail}


class SearchCancelled(AllTasksEnded):
    """Somebody who is allowed to cancelled the search, or its session ended."""

    NAME: ClassVar[str] = "search-cancelled.v1"

    def apply(self, aggregate: Search) -> None:
        super().apply(aggregate)
        aggregate.state = "cancelled"
