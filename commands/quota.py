"""The quota: how many unfinished tasks one client may have, counted from the log as this process has followed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Final

from commands.ports import EventStore
from commands.task_owners import load_owner
from domain.errors import TooManyError
from domain.events import Event
from domain.task_events import AllTasksEnded, Ended, TasksRequested
from domain.values import KINDS_OF_SEARCH, kind_of_task, stream_of_task

MOST_UNFINISHED: Final = 500
RECOUNT_SECONDS: Final = 5.0  # between two looks at whether a client that has its share has it still


class Quota:
    """Unfinished tasks by client, those of a search as one; safe from any thread.

    Other processes append at the same time, so a client may exceed its share by what they append in that moment.
    """

    def __init__(self, store: EventStore, most: int = MOST_UNFINISHED) -> None:
        self._store, self._most = store, most
        self._clients: dict[str, str] = {}
        self._tasks: defaultdict[str, set[str]] = defaultdict(set)
        self._reserved: defaultdict[str, int] = defaultdict(int)
        self._recounted: dict[str, float] = {}
        self._lock = Lock()

    def add_task(self, task: str, client: str) -> None:
        """Count a task once, even if it is added again."""
        with self._lock:
            self._clients[_counted(task)] = client
            self._tasks[client].add(_counted(task))

    def remove_task(self, task: str) -> None:
        with self._lock:
            client = self._clients.pop(task, None)
            if client is not None:
                self._tasks[client].discard(task)

    def remove_all(self, stream: str) -> None:
        """Count no task of an experiment or search any more."""
        for counted in [known for known in self._clients.copy() if stream in (known, stream_of_task(known))]:
            self.remove_task(counted)

    def apply(self, event: Event) -> None:
        if isinstance(event, TasksRequested):
            for task in event.tasks:
                self.add_task(task, event.client)
        elif isinstance(event, Ended):
            self.remove_task(event.task)
        elif isinstance(event, AllTasksEnded):
            self.remove_all(event.originator_id)

    @contextmanager
    def reserve_task(self, client: str) -> Iterator[None]:
        """Reserve one more task for a client within the context; raises TooManyError if it has its share."""
        if not self._reserve(client):
            self._recount(client)
            if not self._reserve(client):
                raise TooManyError(
                    f"You have {self._most} unfinished tasks, as many as one client may: wait for one, or cancel one.",
                    limit=self._most,
                )
        try:
            yield
        finally:
            with self._lock:
                self._reserved[client] -= 1

    def _reserve(self, client: str) -> bool:
        with self._lock:
            if len(self._tasks[client]) + self._reserved[client] >= self._most:
                return False
            self._reserved[client] += 1
            return True

    def _recount(self, client: str) -> None:
        """Ask the log about each task: the followed events may be incomplete or wrong."""
        now = monotonic()
        with self._lock:
            is_due = now - self._recounted.get(client, -RECOUNT_SECONDS) >= RECOUNT_SECONDS
            self._recounted[client] = now if is_due else self._recounted[client]
            tasks = list(self._tasks[client]) if is_due else []
        for counted in tasks:
            owner = load_owner(self._store, counted if ":" in counted else stream_of_task(counted))
            if not any(counted == _counted(task.id) for task in owner.unfinished_tasks()):
                self.remove_task(counted)


def _counted(task: str) -> str:
    """Return what is counted for a task: itself, or the stream of its search."""
    return stream_of_task(task) if kind_of_task(task) in KINDS_OF_SEARCH else task
