"""Group commit: what concurrent callers hand in is written together, so that they share one flush to disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from domain.errors import NotAbleError

Job = TypeVar("Job")
Input = TypeVar("Input")
Entry = TypeVar("Entry")

MAX_TOGETHER = 200


@dataclass(slots=True, eq=False)
class Pending(Generic[Input, Entry]):
    """What one caller wants in a log; the writer sets either the entry, as it is stored, or the refusal."""

    input: Input
    entry: Entry | None = None
    refusal: Exception | None = None

    def result(self) -> Entry:
        """Return the entry; raises the refusal, or NotAbleError."""
        if self.refusal is not None:
            raise self.refusal
        if self.entry is None:
            raise NotAbleError("The write was interrupted; repeat the call.")
        return self.entry


class Ticket(Generic[Job]):
    """One caller's job, and the lock on which it sleeps until the job is written or the lead is handed over."""

    __slots__ = ("alone", "done", "error", "job", "leads", "settled")

    def __init__(self, job: Job, *, alone: bool) -> None:
        self.job = job
        self.alone = alone
        self.error: BaseException | None = None
        self.leads = False
        self.settled = False
        self.done = Lock()
        self.done.acquire()


class GroupCommit(Generic[Job]):
    """A caller that finds nobody writing leads: it writes all that is queued, then hands the lead to the next in line.

    A single caller writes in its own thread and waits for nobody. `write` puts the outcome of each job into the job;
    what it raises is raised to all whose jobs it was given. Jobs that it returns are written again, before all others
    but together with what has queued up meanwhile.
    """

    def __init__(self, write: Callable[[list[Job]], Sequence[Job] | None]) -> None:
        self._write = write
        self._lock = Lock()
        self._queue: list[Ticket[Job]] = []
        self._led = False

    def submit(self, job: Job, *, alone: bool = False) -> None:
        """Return when the job is written, or raise why it could not be.

        A caller that is `alone` writes nobody else's jobs when it leads; others may write its job with theirs.
        """
        ticket = Ticket(job, alone=alone)
        with self._lock:
            self._queue.append(ticket)
            ticket.leads, self._led = not self._led, True
        while not ticket.settled:
            if not ticket.leads:
                ticket.done.acquire()
            if ticket.leads:
                self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error

    def _lead(self, leader: Ticket[Job]) -> None:
        leader.leads = False
        with self._lock:
            together = 1 if leader.alone else MAX_TOGETHER  # who leads is the first of the queue
            tickets, self._queue = self._queue[:together], self._queue[together:]
        error: BaseException | None = None
        again: set[int] = set()
        try:
            again = {id(job) for job in self._write([ticket.job for ticket in tickets]) or ()}
        except Exception as failure:  # noqa: BLE001 - it is raised again, to every caller it concerns
            error = failure
        except BaseException:
            error = NotAbleError("The write was interrupted; repeat the call.")
            raise
        finally:
            written = [ticket for ticket in tickets if id(ticket.job) not in again]
            for ticket in written:
                ticket.error, ticket.settled = error, True
            self._hand_over(leader, written, [ticket for ticket in tickets if not ticket.settled])

    def _hand_over(self, leader: Ticket[Job], written: list[Ticket[Job]], again: list[Ticket[Job]]) -> None:
        with self._lock:
            self._queue[:0] = again
            heir = self._queue[0] if self._queue else None
            self._led = heir is not None
            if heir is not None:
                heir.leads = True
        for ticket in [heir, *written] if heir else written:
            if ticket is not leader:
                ticket.done.release()
