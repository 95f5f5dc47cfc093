"""The quota: how many unfinished tasks one client may have, counted from the log as this process has followed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Final

from commands.ports import EventStore
from commands.unit_of_work import load
from domain.errors import TooManyError
from domain.events import Event
from domain.experiment import Experiment
from domain.experiment_events import Ended, ExperimentDiscarded, TaskRequested
from domain.values import experiment_of, experiment_stream

MOST_UNFINISHED: Final = 500
RECOUNT_SECONDS: Final = 5.0  # between two looks at whether a client that has its share has it still


def find_requester(store: EventStore, task: str) -> str | None:
    """Return who requested a task, from the log; None if it has ended or never existed."""
    it = load(store, Experiment, experiment_stream(experiment_of(task))).tasks.get(task)
    return it.requested.actor if it is not None and it.is_unfinished else None


class Quota:
    """Unfinished tasks by client; safe from any thread.

    Other processes append at the same time, so a client may exceed its share by what they append in that moment.
    """

    def __init__(self, store: EventStore, most: int = MOST_UNFINISHED) -> None:
        self._store, self._most = store, most
        self._clients: dict[str, str] = {}
        self._tasks: defaultdict[str, set[str]] = defaultdict(set)
        self._reserved: defaultdict[str, int] = defaultdict(int)
        self._recounted: dict[str, float] = {}
        self._lock = Lock()

    def client_of(self, task: str) -> str | None:
        """Return who requested an unfinished task, as far as this process knows."""
        return self._clients.get(task)

    def add_task(self, task: str, client: str) -> None:
        """Count a task once, even if it is added again."""
        with self._lock:
            self._clients[task] = client
            self._tasks[client].add(task)

    def remove_task(self, task: str) -> None:
        with self._lock:
            client = self._clients.pop(task, None)
            if client is not None:
                self._tasks[client].discard(task)

    def remove_experiment(self, stream: str) -> None:
        """Count no task of an experiment any more."""
        for task in [known for known in self._clients.copy() if experiment_stream(experiment_of(known)) == stream]:
            self.remove_task(task)

    def apply(self, event: Event) -> None:
        if isinstance(event, TaskRequested):
            self.add_task(event.task, event.metadata.actor)
        elif isinstance(event, Ended):
            self.remove_task(event.task)
        elif isinstance(event, ExperimentDiscarded):
            self.remove_experiment(event.originator_id)

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
        for task in tasks:
            if find_requester(self._store, task) is None:
                self.remove_task(task)
