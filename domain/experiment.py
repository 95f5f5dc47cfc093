"""Experiment: one training and everything that follows. Its methods decide; the events they trigger are folded back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain import experiment_events as events
from domain.errors import ConflictError, NotFoundError, UnfinishedError
from domain.events import Aggregate, Metadata
from domain.task_status import TRAINING_IN_WORDS
from domain.values import (
    MAX_ATTEMPTS,
    NO_NOTES,
    NO_OPTIONS,
    NOTHING_MEASURED,
    UNFINISHED,
    DatasetRef,
    EvaluationNotes,
    EvaluationOptions,
    MeasureSpec,
    ModelRef,
    Standing,
    TaskState,
    Training,
    TrainingState,
    Verdict,
    check_text,
)

MAX_DETAIL = 2000  # characters of what a failed task says

STARTED: dict[str, type[events.TaskStarted]] = {
    "training": events.TrainingStarted,
    "evaluation": events.EvaluationStarted,
    "reproduction": events.ReproductionStarted,
}
FAILED: dict[str, type[events.TaskFailed]] = {
    "training": events.TrainingFailed,
    "evaluation": events.EvaluationFailed,
    "reproduction": events.ReproductionFailed,
}
CANCELLED: dict[str, type[events.TaskCancelled]] = {
    "training": events.TrainingCancelled,
    "evaluation": events.EvaluationCancelled,
    "reproduction": events.ReproductionCancelled,
}


@dataclass
class Task:
    """The current state of a training, evaluation or reproduction."""

    id: str
    kind: str
    requested: Metadata
    state: TaskState = "requested"
    attempt: int = 0
    worker: str | None = None
    request: events.EvaluationRequested | None = None
    outcome: dict[str, Any] | None = None
    error: dict[str, str] | None = None

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED


class Experiment(Aggregate):
    """One experiment; *uncommitted* until its session ends, then *committed* or *discarded* for ever."""

    standing: Standing = "uncommitted"
    withdrawn: bool = False
    request: events.TrainingRequested | None = None
    result: Training | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=NOTHING_MEASURED.copy)

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    @property
    def training(self) -> events.TrainingRequested:
        """The request it began with."""
        if self.request is None:
            raise LookupError(f"{self.id} has no events")
        return self.request

    @property
    def training_state(self) -> TrainingState:
        return self.tasks[self.name].state if self.exists else "blank"

    def add_task(self, kind: str, task: str, requested: Metadata) -> None:
        """Fold a requested task, and by whom and in which call it was requested."""
        self.tasks[task] = Task(task, kind, requested)

    def unfinished_tasks(self, *kinds: str) -> list[Task]:
        """List the tasks of these kinds that still wait or run."""
        return [task for task in self.tasks.values() if task.kind in kinds and task.is_unfinished]

    # -- training

    def request_training(
        self,
        *,
        owner: str,
        session: str,
        dataset: DatasetRef,
        target: str,
        columns: Sequence[str] | None,
        model: ModelRef,
        settings: dict[str, Any],
        preparation: int,
        seed: int,
        test_size: float,
    ) -> None:
        """Begin the experiment; columns and settings are complete and checked already."""
        if self.exists:
            raise ConflictError(f"Experiment {self.name} exists already.")
        self.trigger_event(
            events.TrainingRequested,
            task=self.name,
            owner=owner,
            session=session,
            dataset=dataset,
            target=target,
            columns=None if columns is None else tuple(columns),
            model=model,
            settings=settings,
            preparation=preparation,
            seed=seed,
            test_size=test_size,
        )

    def complete_training(self, attempt: int, worker: str, result: Training) -> None:
        self._check_running(self.name, attempt, worker)
        self.trigger_event(events.TrainingCompleted, task=self.name, attempt=attempt, result=result)

    # -- evaluation and reproduction

    def request_evaluation(
        self, measures: Sequence[MeasureSpec], on: DatasetRef | None, options: EvaluationOptions = NO_OPTIONS
    ) -> str:
        """Ask for measures of the completed training; return the evaluation's id (`<experiment>-e1`)."""
        self._check_completed("evaluated")
        task = self._next_task("evaluation", "e")
        self.trigger_event(events.EvaluationRequested, task=task, measures=tuple(measures), on=on, **dict(options))
        return task

    def complete_evaluation(
        self, task: str, attempt: int, worker: str, measures: dict[str, Any], notes: EvaluationNotes = NO_NOTES
    ) -> None:
        self._check_running(task, attempt, worker)
        self.trigger_event(events.EvaluationCompleted, task=task, attempt=attempt, measures=measures, notes=notes)

    def request_reproduction(self) -> str:
        """Ask for the training to be done again; return the reproduction's id (`<experiment>-r1`)."""
        self._check_completed("reproduced")
        task = self._next_task("reproduction", "r")
        self.trigger_event(events.ReproductionRequested, task=task)
        return task

    def complete_reproduction(
        self, task: str, attempt: int, worker: str, verdict: Verdict, differences: Sequence[str]
    ) -> None:
        self._check_running(task, attempt, worker)
        facts = {"verdict": verdict, "differences": tuple(differences)}
        self.trigger_event(events.ReproductionCompleted, task=task, attempt=attempt, **facts)

    # -- any task

    def start(self, task: str, attempt: int, worker: str) -> None:
        """Claim a task: a waiting one by attempt 1, one whose worker died by the next attempt."""
        self._check_not_discarded()
        it = self._task(task)
        if not it.is_unfinished or attempt != it.attempt + 1 or attempt > MAX_ATTEMPTS:
            raise ConflictError(
                f"{task} cannot be started as attempt {attempt}: it is {it.state}, attempt {it.attempt}."
            )
        self.trigger_event(STARTED[it.kind], task=task, attempt=attempt, worker=worker)

    def fail(self, task: str, attempt: int, reason: str, detail: str) -> None:
        it = self._task(task)
        if not it.is_unfinished or attempt != it.attempt:
            raise ConflictError(f"{task} is {it.state} (attempt {it.attempt}): it cannot fail now.")
        self.trigger_event(FAILED[it.kind], task=task, attempt=attempt, reason=reason, detail=detail[:MAX_DETAIL])

    def cancel(self, task: str) -> None:
        """End a task that still waits or runs."""
        it = self._task(task)
        if not it.is_unfinished:
            raise ConflictError(f"{task} is {it.state} already: only what waits or runs can be cancelled.")
        self.trigger_event(CANCELLED[it.kind], task=task)

    # -- after the session

    def commit(self, session: str) -> None:
        """Add the experiment to the history; its training must be completed, and no evaluation unfinished."""
        self._check_uncommitted()
        unfinished = [task.id for task in self.unfinished_tasks("training", "evaluation")]
        if unfinished:
            raise UnfinishedError(f"Not finished yet: {', '.join(unfinished)}.", unfinished=unfinished)
        self._check_completed("committed")
        self.trigger_event(events.ExperimentCommitted, session=session)

    def discard(self, session: str) -> None:
        """Discard the experiment with its session."""
        self._check_uncommitted()
        self.trigger_event(events.ExperimentDiscarded, session=session)

    def annotate(self, text: str, reason: str) -> None:
        self._check_committed("annotated")
        facts = {"text": check_text("annotation", text), "reason": check_text("reason", reason)}
        self.trigger_event(events.ExperimentAnnotated, **facts)

    def withdraw(self, reason: str) -> None:
        """Take the experiment out of the history."""
        self._check_committed("withdrawn")
        if self.withdrawn:
            raise ConflictError(f"Experiment {self.name} is withdrawn already.")
        self.trigger_event(events.ExperimentWithdrawn, reason=check_text("reason", reason))

    def restore(self, reason: str) -> None:
        """Put the experiment back into the history."""
        self._check_committed("restored")
        if not self.withdrawn:
            raise ConflictError(f"Experiment {self.name} is not withdrawn.")
        self.trigger_event(events.ExperimentRestored, reason=check_text("reason", reason))

    # -- rules

    def _task(self, task: str) -> Task:
        if task not in self.tasks:
            raise NotFoundError.for_name("task", task)
        return self.tasks[task]

    def _next_task(self, kind: str, letter: str) -> str:
        number = sum(task.kind == kind for task in self.tasks.values()) + 1
        return f"{self.name}-{letter}{number}"

    def _check_running(self, task: str, attempt: int, worker: str) -> None:
        self._check_not_discarded()
        it = self._task(task)
        if it.state != "started" or it.attempt != attempt or it.worker != worker:
            raise ConflictError(
                f"{task} is {it.state}, attempt {it.attempt} of {it.worker}: this result comes too late."
            )

    def _check_completed(self, verb: str) -> None:
        self._check_not_discarded()
        if self.training_state != "completed":
            raise ConflictError(f"Experiment {self.name} cannot be {verb}: {TRAINING_IN_WORDS[self.training_state]}.")

    def _check_uncommitted(self) -> None:
        if not self.exists:
            raise NotFoundError.for_name("experiment", self.name)
        if self.standing != "uncommitted":
            raise ConflictError(f"Experiment {self.name} is {self.standing} already.")

    def _check_not_discarded(self) -> None:
        if self.standing == "discarded":
            raise ConflictError(f"Experiment {self.name} is discarded.")

    def _check_committed(self, verb: str) -> None:
        if self.standing != "committed":
            raise ConflictError(f"Experiment {self.name} cannot be {verb}: it is {self.standing}, not committed.")
