"""All connections of a process: how many may be open, which one has to go, and a look at each every second."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from adapters.http.problems import Problem
from adapters.serving.limits import ConnectionLimits

log = logging.getLogger(__name__)

Refused = Callable[[Problem, str], None]  # what was refused before there was a call, and the address of the caller


class Kept(Protocol):
    """An open connection."""

    def look(self, now: float) -> None:
        """End it if its time is over."""
        ...

    def drop(self) -> None:
        """End it at once."""
        ...


def not_told(problem: Problem, source: str) -> None:
    """Keep no account."""


class Connections:
    """The open connections. Above the limit the one goes that has waited longest for its request.

    So callers who are silent never keep out those who ask something. Only where all of them are being answered,
    a new one is refused.
    """

    def __init__(self, limits: ConnectionLimits, refused: Refused = not_told) -> None:
        self.limits, self.refused = limits, refused
        self._open: set[Kept] = set()
        self._waiting: dict[Kept, None] = {}  # in the order in which they began to wait

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Kept) -> bool:
        """Take a new one in, or refuse it."""
        if len(self._open) >= self.limits.most and not self._drop_longest_waiting():
            log.warning("All %s connections are being answered: a new one was refused.", self.limits.most)
            return False
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def await_request(self, connection: Kept) -> None:
        """Note that it waits for its next request."""
        self._waiting.pop(connection, None)
        if connection in self._open:
            self._waiting[connection] = None

    def answer(self, connection: Kept) -> None:
        """Note that its request has come."""
        self._waiting.pop(connection, None)

    def leave(self, connection: Kept) -> None:
        """Forget one that has ended."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def look(self, now: float) -> None:
        """End those whose time is over."""
        for connection in list(self._open):
            connection.look(now)

    def _drop_longest_waiting(self) -> bool:
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        log.warning("All %s connections are open: the one that was silent for longest was closed.", self.limits.most)
        self.leave(longest)
        longest.drop()
        return True
