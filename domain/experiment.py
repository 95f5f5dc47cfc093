"""Experiment: one training and everything that follows. Its methods decide; the events they trigger are folded back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from domain import experiment_events as events
from domain.errors import ConflictError, NotFoundError, UnfinishedError
from domain.task import TaskOwner
from domain.task_events import TaskCancelled, TaskFailed, TaskStarted
from domain.task_status import TRAINING_IN_WORDS
from domain.values import (
    NO_NOTES,
    NO_OPTIONS,
    NOTHING_MEASURED,
    DatasetRef,
    EvaluationNotes,
    EvaluationOptions,
    LearningTask,
    MeasureSpec,
    ModelRef,
    SplitRequest,
    Standing,
    Training,
    TrainingState,
    Verdict,
    check_text,
)


class Experiment(TaskOwner):
    """One experiment; *uncommitted* until its session ends, then *committed* or *discarded* for ever."""

    STARTED: ClassVar[dict[str, type[TaskStarted]]] = {
        "training": events.TrainingStarted,
        "evaluation": events.EvaluationStarted,
        "reproduction": events.ReproductionStarted,
    }
    FAILED: ClassVar[dict[str, type[TaskFailed]]] = {
        "training": events.TrainingFailed,
        "evaluation": events.EvaluationFailed,
        "reproduction": events.ReproductionFailed,
    }
    CANCELLED: ClassVar[dict[str, type[TaskCancelled]]] = {
        "training": events.TrainingCancelled,
        "evaluation": events.EvaluationCancelled,
        "reproduction": events.ReproductionCancelled,
    }

    standing: Standing = "uncommitted"
    withdrawn: bool = False
    request: events.TrainingRequested | None = None
    result: Training | None = None
    measured: dict[str, Any] = field(default_factory=NOTHING_MEASURED.copy)

    @property
    def owner(self) -> str:
        return self.training.owner

    @property
    def training(self) -> events.TrainingRequested:
        """The request it began with."""
        if self.request is None:
            raise LookupError(f"{self.id} has no events")
        return self.request

    @property
    def training_state(self) -> TrainingState:
        return self.tasks[self.name].state if self.exists else "blank"

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
        split: SplitRequest,
        memory: int | None,
        deadline: float | None,
        search: str | None = None,
        learning_task: LearningTask = "classification",
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
            split=split,
            memory=memory,
            deadline=deadline,
            search=search,
            learning_task=learning_task,
        )

    def complete_training(self, attempt: int, worker: str, result: Training) -> None:
        self._check_running(self.name, attempt, worker)
        self.trigger_event(events.TrainingCompleted, task=self.name, attempt=attempt, result=result)

    # -- evaluation and reproduction

    def request_evaluation(
        self, measures: Sequence[MeasureSpec], on: DatasetRef | None, options: EvaluationOptions = NO_OPTIONS
    ) -> str:
        """Ask for measures of the completed training; return the evaluation's id (`<experiment>-e1`)."""
        self.check_completed("evaluated")
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
        self.check_completed("reproduced")
        task = self._next_task("reproduction", "r")
        self.trigger_event(events.ReproductionRequested, task=task)
        return task

    def complete_reproduction(
        self, task: str, attempt: int, worker: str, verdict: Verdict, differences: Sequence[str]
    ) -> None:
        self._check_running(task, attempt, worker)
        facts = {"verdict": verdict, "differences": tuple(differences)}
        self.trigger_event(events.ReproductionCompleted, task=task, attempt=attempt, **facts)

    # -- after the session

    def commit(self, session: str) -> None:
        """Add the experiment to the history; its training must be completed, and no evaluation unfinished."""
        self._check_uncommitted()
        unfinished = [task.id for task in self.unfinished_tasks("training", "evaluation")]
        if unfinished:
            raise UnfinishedError(f"Not finished yet: {', '.join(unfinished)}.", unfinished=unfinished)
        self.check_completed("committed")
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

    def _next_task(self, kind: str, letter: str) -> str:
        number = sum(task.kind == kind for task in self.tasks.values()) + 1
        return f"{self.name}-{letter}{number}"

    def check_completed(self, verb: str) -> None:
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
