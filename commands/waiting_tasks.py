"""What an event worker knows of unfinished tasks: those that wait to be claimed, and those that run elsewhere."""

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
    """Tasks of some kinds, in the log's order, as `worker` has followed the log so far."""

    def __init__(self, kinds: frozenset[str], worker: str) -> None:
        self._kinds = kinds
        self._worker = worker
        self._waiting: dict[str, Followed | None] = {}
        self._elsewhere: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def tasks(self) -> list[str]:
        """List what waits."""
        return list(self._waiting)

    def take_over(self, open_tasks: OpenTasks) -> None:
        """Begin with tasks of which it is only known that they are unfinished; without kinds nobody is asked."""
        unfinished = open_tasks.unfinished() if self._kinds else []
        self._waiting = dict.fromkeys(task for task in unfinished if kind_of_task(task) in self._kinds)

    def follow(self, followed: Followed) -> None:
        """Take in one event of the log."""
        event = followed.event
        if isinstance(event, TaskRequested):
            if event.KIND in self._kinds:
                self._waiting[event.task] = followed
        elif isinstance(event, TaskStarted):
            self._forget(event.task)
            self.runs_elsewhere(event.task, event.worker)
        elif isinstance(event, Ended):
            self._forget(event.task)
        elif isinstance(event, ExperimentDiscarded):
            for task in [*self._waiting, *self._elsewhere]:
                if experiment_stream(experiment_of(task)) == event.originator_id:
                    self._forget(task)

    def runs_elsewhere(self, task: str, worker: str) -> None:
        """Note that another worker has started a task: it is claimed only once that one is dead."""
        if worker != self._worker and kind_of_task(task) in self._kinds:
            self._elsewhere[task] = worker

    def take_lost(self, is_lost: Callable[[str], bool]) -> None:
        """Let those wait again whose worker is dead."""
        dead = {worker for worker in set(self._elsewhere.values()) if is_lost(worker)}
        for task, worker in list(self._elsewhere.items()):
            if worker in dead:
                del self._elsewhere[task]
                self._waiting[task] = None

    def pop(self, task: str) -> Followed | None:
        """Take one that waits, and the event that told of it."""
        return self._waiting.pop(task)

    def put_back(self, task: str, followed: Followed | None) -> None:
        """Let it wait again, last in the queue, so that one that cannot be read stops no other."""
        self._waiting[task] = followed

    def _forget(self, task: str) -> None:
        self._waiting.pop(task, None)
        self._elsewhere.pop(task, None)
