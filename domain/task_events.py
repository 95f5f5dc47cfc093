"""The events that every kind of task has, and how each changes the task's owner (`domain/task.py`)."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import Event
from domain.values import UNFINISHED


class TasksRequested(Event):
    """Tasks wait for a worker."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Their ids."""
        raise NotImplementedError

    @property
    def client(self) -> str:
        """For whom they are done."""
        return self.metadata.actor


class TaskRequested(TasksRequested):
    """A task waits for a worker."""

    KIND: ClassVar[str] = ""
    task: str

    @property
    def tasks(self) -> tuple[str, ...]:
        return (self.task,)

    def apply(self, aggregate: Any) -> None:
        aggregate.add_task(self.KIND, self.task, self)


class TaskStarted(Event):
    """A worker (its process's name) claimed the task; attempt counts 1, 2, 3."""

    task: str
    attempt: int
    worker: str

    def apply(self, aggregate: Any) -> None:
        task = aggregate.tasks[self.task]
        task.state, task.attempt, task.worker = "started", self.attempt, self.worker


class TaskCompleted(Event):
    """The task ended with a result."""

    task: str
    attempt: int

    def apply(self, aggregate: Any) -> None:
        aggregate.tasks[self.task].state = "completed"


class TaskFailed(Event):
    """The task ended without a result: reason (crashed, memory-limit, deadline, lost, error) and a sentence."""

    task: str
    attempt: int
    reason: str
    detail: str

    def apply(self, aggregate: Any) -> None:
        task = aggregate.tasks[self.task]
        task.state, task.error = "failed", {"reason": self.reason, "detail": self.detail}


class TaskCancelled(Event):
    """Somebody who is allowed to cancelled the task."""

    task: str

    def apply(self, aggregate: Any) -> None:
        aggregate.tasks[self.task].state = "cancelled"


class AllTasksEnded(Event):
    """The aggregate needs no task any more; those that are unfinished are cancelled."""

    def apply(self, aggregate: Any) -> None:
        for task in aggregate.tasks.values():
            if task.state in UNFINISHED:
                task.state = "cancelled"


Ended = TaskCompleted | TaskFailed | TaskCancelled
"""How a task ends by itself."""
