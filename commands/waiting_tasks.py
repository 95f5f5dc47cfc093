"""What an event worker knows about unfinished tasks: which wait to be claimed, and which are started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count

from commands.ports import PositionedEvent
from domain.task_events import AllTasksEnded, Ended, TasksRequested, TaskStarted
from domain.values import KINDS_OF_SEARCH, kind_of_task, stream_of_task

ALL_KINDS = frozenset({"training", "evaluation", "reproduction"}) | KINDS_OF_SEARCH


class WaitingTasks:
    """Tasks of some kinds, as far as `worker` has followed the log; and tasks of any kind that it started itself.

    Clients take turns; the tasks of one client are in the log's order, those of its searches after the others.
    """

    def __init__(self, kinds: frozenset[str], worker: str) -> None:
        self._kinds = kinds
        self._worker = worker
        self._waiting: dict[str, PositionedEvent | None] = {}
        self._clients: dict[str, str] = {}
        self._since: dict[str, datetime] = {}
        self._troubled: set[str] = set()
        self._started: dict[str, str] = {}
        self._turns: dict[str, int] = {}
        self._turn = count(1)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def is_crowded(self) -> bool:
        """Whether a claimable task waits; one whose claim has failed does not count."""
        return any(task not in self._troubled for task in self._waiting)

    def iterate_fairly(self) -> Iterator[str]:
        """Yield waiting tasks, one per client and round; the client whose last turn is longest ago comes first."""
        queues: dict[str, list[str]] = {}
        for task in sorted(self._waiting, key=_is_of_search):
            queues.setdefault(self._clients[task], []).append(task)
        left = sorted(queues, key=lambda client: self._turns.get(client, 0))
        rounds = count()
        while left:
            number = next(rounds)
            yield from (queues[client][number] for client in left)
            left = [client for client in left if len(queues[client]) > number + 1]

    def others_wait(self, task: str) -> bool:
        """Tell, from any thread, whether a slot that did this task of a search is due to somebody else's task.

        Or to one of the same client that is of no search.
        """
        client = self._clients.get(task)
        waiting = [other for other in list(self._waiting) if other not in self._troubled]
        return any(self._clients.get(other) != client or not _is_of_search(other) for other in waiting)

    def list_waiting(self) -> list[tuple[str, datetime]]:
        """List, from any thread, the kind of each waiting task, and since when it waits or is known here to wait."""
        times = [(task, self._since.get(task)) for task in list(self._waiting)]
        return [(kind_of_task(task), since) for task, since in times if since is not None]

    def accepts(self, task: str) -> bool:
        return kind_of_task(task) in self._kinds

    def add(self, task: str, client: str, now: datetime) -> None:
        """Queue a task that is known to be unfinished, without its event."""
        if self.accepts(task):
            self._clients[task] = client
            self._since.setdefault(task, now)
            self._waiting.setdefault(task)

    def apply(self, followed: PositionedEvent) -> None:
        """Apply one event of the log. A waiting task that ends stays in the queue: a claim looks into the log."""
        event = followed.event
        if isinstance(event, TasksRequested):
            for task in filter(self.accepts, event.tasks):
                self._clients[task] = event.client
                self._since[task] = followed.at
                self._waiting[task] = followed
        elif isinstance(event, TaskStarted):
            self._waiting.pop(event.task, None)
            self._troubled.discard(event.task)
            self.record_turn(event.task)
            self.record_start(event.worker, event.task)
        elif isinstance(event, Ended):
            self._forget(event.task)
        elif isinstance(event, AllTasksEnded):
            for task in list(self._started):
                if stream_of_task(task) == event.originator_id:
                    self._forget(task)

    def record_start(self, worker: str, task: str) -> None:
        """Record which worker started a task: once it is dead the task is claimed. Our own run on, of any kind."""
        self._started.pop(task, None)
        if worker == self._worker or self.accepts(task):
            self._started[task] = worker

    def requeue_lost(self, is_lost: Callable[[str], bool], runs_here: Callable[[str], bool], now: datetime) -> None:
        """Queue again the tasks of dead workers, and our own that do not run: the reply to their claim was lost."""
        dead = {worker for worker in set(self._started.values()) - {self._worker} if is_lost(worker)}
        for task, worker in list(self._started.items()):
            if worker in dead or (worker == self._worker and not runs_here(task)):
                del self._started[task]
                self._clients.setdefault(task, "")
                self._since[task] = now
                self._waiting[task] = None

    def pop(self, task: str) -> PositionedEvent | None:
        """Take a waiting task, and the event that announced it."""
        self._troubled.discard(task)
        return self._waiting.pop(task)

    def put_back(self, task: str, followed: PositionedEvent | None) -> None:
        """Queue it again, in the last place, so that a task that cannot be read does not stop the others."""
        self._troubled.add(task)
        self._waiting[task] = followed

    def record_turn(self, task: str) -> None:
        """Record that a task of its client was started: the other clients come first now."""
        if task in self._clients:
            self._turns[self._clients[task]] = next(self._turn)

    def forget_client(self, task: str) -> None:
        self._clients.pop(task, None)
        self._since.pop(task, None)

    def _forget(self, task: str) -> None:
        self._started.pop(task, None)
        if task not in self._waiting:
            self.forget_client(task)


def _is_of_search(task: str) -> bool:
    return kind_of_task(task) in KINDS_OF_SEARCH
