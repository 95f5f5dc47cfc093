"""All connections of a process: how many may be open, which one has to go, and a check of each every second."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from adapters.http.problems import Problem
from adapters.serving.limits import ConnectionLimits

logger = logging.getLogger(__name__)

OnRefused = Callable[[Problem, str], None]  # what was refused before there was a call, and the caller's address


class OpenConnection(Protocol):
    def check_deadlines(self, now: float) -> None:
        """End it if its time is over."""
        ...

    def drop(self) -> None:
        """End it at once."""
        ...


def ignore_refusal(problem: Problem, source: str) -> None:
    pass


class Connections:
    """The open connections. Above the limit the one goes that has waited longest for its request.

    So silent callers never keep out those who ask something. Only where all of them are being answered,
    a new one is refused.
    """

    def __init__(self, limits: ConnectionLimits, on_refused: OnRefused = ignore_refusal) -> None:
        self.limits, self.on_refused = limits, on_refused
        self._open: set[OpenConnection] = set()
        self._waiting: dict[OpenConnection, None] = {}  # in the order in which they began to wait

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: OpenConnection) -> bool:
        """Take a new one in; False where there is no room."""
        if len(self._open) >= self.limits.most and not self._drop_longest_waiting():
            logger.warning("All %s connections are being answered: a new one was refused.", self.limits.most)
            return False
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def mark_waiting(self, connection: OpenConnection) -> None:
        """Note that it waits for its next request."""
        self._waiting.pop(connection, None)
        if connection in self._open:
            self._waiting[connection] = None

    def mark_busy(self, connection: OpenConnection) -> None:
        """Note that its request has come."""
        self._waiting.pop(connection, None)

    def remove(self, connection: OpenConnection) -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def check_deadlines(self, now: float) -> None:
        """End those whose time is over."""
        for connection in list(self._open):
            connection.check_deadlines(now)

    def _drop_longest_waiting(self) -> bool:
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        logger.warning("All %s connections are open: the one that was silent for longest was closed.", self.limits.most)
        self.remove(longest)
        longest.drop()
        return True
