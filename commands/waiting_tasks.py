"""What an event worker knows of unfinished tasks: those that wait to be claimed, and those that are started."""

from __future__ import annotations

from collections.abc import Callable

from commands.ports import Followed, OpenTasks
from domain.experiment_events import (
    EvaluationCompleted,
    ExperimentDiscarded,
    ReproductionCompleted,
    TaskCancelled,
    TaskFailed,
    TaskRequested,
    TaskStarted,
    TrainingCompleted,
)
from domain.values import experiment_of, experiment_stream, kind_of_task

ALL_KINDS = frozenset({"training", "evaluation", "reproduction"})
Ended = TrainingCompleted | EvaluationCompleted | ReproductionCompleted | TaskFailed | TaskCancelled


class WaitingTasks:
    """Tasks of some kinds, in the log's order, as `worker` has followed the log so far; its own starts of any kind."""

    def __init__(self, kinds: frozenset[str], worker: str) -> None:
        self._kinds = kinds
        self._worker = worker
        self._waiting: dict[str, Followed | None] = {}
        self._started: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def tasks(self) -> list[str]:
        """List what waits."""
        return list(self._waiting)

    def takes(self, task: str) -> bool:
        """Tell whether tasks of its kind are claimed here."""
        return kind_of_task(task) in self._kinds

    def take_over(self, open_tasks: OpenTasks, timeout: float) -> None:
        """Let tasks wait of which it is only known that they are unfinished; without kinds nobody is asked."""
        for task in open_tasks.unfinished(timeout) if self._kinds else ():
            if self.takes(task):
                self._waiting.setdefault(task)

    def follow(self, followed: Followed) -> None:
        """Take in one event of the log. What waits is not forgotten at its end: whoever claims looks into the log."""
        event = followed.event
        if isinstance(event, TaskRequested):
            if self.takes(event.task):
                self._waiting[event.task] = followed
        elif isinstance(event, TaskStarted):
            self._waiting.pop(event.task, None)
            self.started_by(event.worker, event.task)
        elif isinstance(event, Ended):
            self._started.pop(event.task, None)
        elif isinstance(event, ExperimentDiscarded):
            for task in list(self._started):
                if experiment_stream(experiment_of(task)) == event.originator_id:
                    del self._started[task]

    def started_by(self, worker: str, task: str) -> None:
        """Note who has started a task: it is claimed once that one is dead; our own run on here, whatever we claim."""
        self._started.pop(task, None)
        if worker == self._worker or self.takes(task):
            self._started[task] = worker

    def take_lost(self, is_lost: Callable[[str], bool], runs_here: Callable[[str], bool]) -> None:
        """Let those wait again whose worker is dead, and our own that do not run here: their claim's reply was lost."""
        dead = {worker for worker in set(self._started.values()) - {self._worker} if is_lost(worker)}
        for task, worker in list(self._started.items()):
            if worker in dead or (worker == self._worker and not runs_here(task)):
                del self._started[task]
                self._waiting[task] = None

    def pop(self, task: str) -> Followed | None:
        """Take one that waits, and the event that told of it."""
        return self._waiting.pop(task)

    def put_back(self, task: str, followed: Followed | None) -> None:
        """Let it wait again, last in the queue, so that one that cannot be read stops no other."""
        self._waiting[task] = followed
