"""What one command appends: load, decide, append in one commit; decide again if another append came first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from commands.call import Call
from commands.ports import AppendHeader, Ports, StoredAppend, VersionConflict
from commands.unit_of_work import UnitOfWork
from domain.errors import AutoLearnError, KeyReusedError, NotAbleError
from domain.events import Event

T = TypeVar("T")

WORKERS = uuid5(NAMESPACE_URL, "autolearn/workers")


def append_id(command_id: UUID, number: int) -> UUID:
    """Return the id of the k-th append of a command (1, 2, …)."""
    return uuid5(command_id, str(number))


@dataclass
class CommandAppends:
    """The appends of one command, counted: its decision, and the end of the task that it started."""

    ports: Ports
    call: Call
    append_count: int = 0
    own_last: StoredAppend | None = None
    last_sessions: dict[str, int] = field(default_factory=dict)

    def first_append(self) -> StoredAppend | None:
        """Return what this command's first run appended, if it ran before; refuse another body under its id."""
        appended = self.ports.store.find_append(append_id(self.call.command_id, 1))
        if appended is not None:
            self.check_same(appended)
        return appended

    def check_same(self, appended: StoredAppend) -> None:
        """Refuse a request id or idempotency key that was used with another body."""
        if appended.header.digest != self.call.digest:
            raise KeyReusedError("This Idempotency-Key (or request id) was used with another body: take a new one.")

    def last_append(self, first: StoredAppend) -> StoredAppend:
        """Return the last append of this command, without asking the log if it began and ended here."""
        if self.own_last is not None and self.append_count > 1:
            return self.own_last
        number, last = 1, first
        while (appended := self.ports.store.find_append(append_id(self.call.command_id, number + 1))) is not None:
            number, last = number + 1, appended
        return last

    def decide(self, decision: Callable[[UnitOfWork], T]) -> tuple[T, StoredAppend | None]:
        """Run a decision and append its events; the append is None if it triggered no event."""
        for _ in self.ports.retry.attempts():
            work = UnitOfWork(self.ports.store, self.last_sessions)
            try:
                outcome = decision(work)
                appended = self._append(work.collect_events())
            except VersionConflict:
                continue
            except NotAbleError:  # the log does not answer: it would not say whether it has grown either
                raise
            except AutoLearnError:
                if work.is_outdated():  # streams are loaded one after the other, so it may have seen half a commit
                    continue
                raise
            return outcome, appended
        raise NotAbleError(f"Others changed the same things {self.ports.retry.limit} times in a row: try again.")

    def _append(self, triggered: list[Event]) -> StoredAppend | None:
        if not triggered:
            return None
        number = self.append_count + 1
        digest = self.call.digest if number == 1 else ""
        header = AppendHeader(self.call.command_id, append_id(self.call.command_id, number), self.call.metadata, digest)
        self.own_last, self.append_count = self.ports.store.append(triggered, header), number
        return self.own_last


def appends_of_task(ports: Ports, task: str, attempt: int, correlation: str) -> CommandAppends:
    """Return the appends of a worker about one attempt of a task."""
    identity = uuid5(WORKERS, f"{task}/{attempt}")
    return CommandAppends(ports, Call(f"worker:{ports.worker}", frozenset(), identity, correlation))
