"""Tasks: work of a process of its own, which belongs to an experiment or a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from domain.errors import ConflictError, NotFoundError
from domain.events import Aggregate, Metadata
from domain.values import MAX_ATTEMPTS, UNFINISHED, TaskState

if TYPE_CHECKING:
    from domain.experiment_events import EvaluationRequested
    from domain.task_events import TaskCancelled, TaskFailed, TasksRequested, TaskStarted

MAX_DETAIL = 2000  # characters of what a failed task says


@dataclass
class Task:
    """The current state of a task; `client` is for whom it is done."""

    id: str
    kind: str
    requested: Metadata
    client: str
    state: TaskState = "requested"
    attempt: int = 0
    worker: str | None = None
    request: EvaluationRequested | None = None
    outcome: dict[str, Any] | None = None
    error: dict[str, str] | None = None

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED


class TaskOwner(Aggregate):
    """An aggregate with tasks; a subclass names the events of each kind of task."""

    STARTED: ClassVar[dict[str, type[TaskStarted]]] = {}
    FAILED: ClassVar[dict[str, type[TaskFailed]]] = {}
    CANCELLED: ClassVar[dict[str, type[TaskCancelled]]] = {}

    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    def add_task(self, kind: str, task: str, event: TasksRequested) -> None:
        """Fold a requested task, and by whom and in which call it was requested."""
        self.tasks[task] = Task(task, kind, event.metadata, event.client)

    def unfinished_tasks(self, *kinds: str) -> list[Task]:
        """List the tasks of these kinds (none: of all) that still wait or run."""
        return [task for task in self.tasks.values() if task.is_unfinished and (not kinds or task.kind in kinds)]

    def start(self, task: str, attempt: int, worker: str) -> None:
        """Claim a task: a waiting one by attempt 1, one whose worker died by the next attempt."""
        self._check_not_discarded()
        it = self._task(task)
        if not it.is_unfinished or attempt != it.attempt + 1 or attempt > MAX_ATTEMPTS:
            raise ConflictError(
                f"{task} cannot be started as attempt {attempt}: it is {it.state}, attempt {it.attempt}."
            )
        self.trigger_event(self.STARTED[it.kind], task=task, attempt=attempt, worker=worker)

    def try_again(self, task: str, attempt: int, worker: str) -> bool:
        """Start the next attempt of a task whose process was killed; False if that was its last."""
        self._check_running(task, attempt, worker)
        if attempt < MAX_ATTEMPTS:
            self.start(task, attempt + 1, worker)
        return attempt < MAX_ATTEMPTS

    def fail(self, task: str, attempt: int, reason: str, detail: str) -> None:
        it = self._task(task)
        if not it.is_unfinished or attempt != it.attempt:
            raise ConflictError(f"{task} is {it.state} (attempt {it.attempt}): it cannot fail now.")
        self.trigger_event(self.FAILED[it.kind], task=task, attempt=attempt, reason=reason, detail=detail[:MAX_DETAIL])

    def cancel(self, task: str) -> None:
        """End a task that still waits or runs."""
        it = self._task(task)
        if not it.is_unfinished:
            raise ConflictError(f"{task} is {it.state} already: only what waits or runs can be cancelled.")
        self.trigger_event(self.CANCELLED[it.kind], task=task)

    # -- rules

    def _task(self, task: str) -> Task:
        if task not in self.tasks:
            raise NotFoundError.for_name("task", task)
        return self.tasks[task]

    def _check_running(self, task: str, attempt: int, worker: str) -> None:
        self._check_not_discarded()
        it = self._task(task)
        if it.state != "started" or it.attempt != attempt or it.worker != worker:
            raise ConflictError(
                f"{task} is {it.state}, attempt {it.attempt} of {it.worker}: this result comes too late."
            )

    def _check_not_discarded(self) -> None:
        """Refuse where nothing may go on any more."""
