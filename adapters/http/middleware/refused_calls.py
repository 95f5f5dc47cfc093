"""Refused calls of nobody in particular: archived one by one while they are few, and counted once they are many."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Final

from domain.errors import AutoLearnError
from projections.ports import Communication, Communications

log = logging.getLogger(__name__)

BURST: Final = 100  # records at once
EACH_SECONDS: Final = 10.0  # for one more
SEVERAL: Final = "(several)"
NAMES: Final = ("source", "target", "operation", "digest_in", "digest_out")
SUMS: Final = ("count", "milliseconds", "bytes_in", "bytes_out")


class RefusedCalls:
    """Puts them into the archive, at most 100 at once and then one record each 10 s, whatever strangers do.

    What does not fit is counted by outcome and problem, and stored as one record each as soon as there is room: its
    `count` says how many calls it stands for. Below the disk reserve nothing is stored before `finish`.
    """

    def __init__(
        self,
        communications: Communications,
        burst: int = BURST,
        each_seconds: float = EACH_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._communications, self._burst, self._each, self._now = communications, burst, each_seconds, now
        self._lock = Lock()
        self._room, self._since = float(burst), now()
        self._counted: dict[tuple[str, str], Communication] = {}
        self._finished = False

    def archive(self, record: Communication) -> None:
        """Store one before its answer is sent, or count it."""
        with self._lock:
            fits = self._finished or (not self._counted and self._take())
            if not fits:
                self._count(record)
        if fits:
            self._store(record)

    def count(self, record: Communication) -> None:
        """Count one without a wait: it is stored by the next `flush` that has room."""
        with self._lock:
            self._count(record)

    @property
    def is_due(self) -> bool:
        """Whether `flush` would store something."""
        with self._lock:
            return bool(self._counted) and self._has_room()

    def flush(self) -> None:
        """Store what was counted, as far as there is room: the kind that waits longest first."""
        while (record := self._next()) is not None and self._store(record):
            pass

    def finish(self) -> None:
        """Store all that was counted: the process ends."""
        with self._lock:
            self._finished, left = True, list(self._counted.values())
            self._counted.clear()
        for record in left:
            self._store(record)

    def _next(self) -> Communication | None:
        with self._lock:
            if not self._counted or not self._take():
                return None
            return self._counted.pop(next(iter(self._counted)))

    def _store(self, record: Communication) -> bool:
        try:
            if not self._finished:
                self._communications.check_able()
            self._communications.archive(record)
        except Exception as failure:
            if self._finished or not isinstance(failure, AutoLearnError):
                log.exception("%s refused calls (%s) are not archived", record.count, record.outcome)
            self.count(record)
            return False
        return True

    def _count(self, record: Communication) -> None:
        kind = (record.outcome, record.problem)
        before = self._counted.get(kind)
        self._counted[kind] = record if before is None else _together(before, record)

    def _take(self) -> bool:
        if not self._has_room():
            return False
        self._room -= 1
        return True

    def _has_room(self) -> bool:
        now = self._now()
        self._room = min(self._room + (now - self._since) / self._each, float(self._burst))
        self._since = now
        return self._room >= 1


def _together(one: Communication, other: Communication) -> Communication:
    sums = {name: getattr(one, name) + getattr(other, name) for name in SUMS}
    names = {name: getattr(one, name) if getattr(one, name) == getattr(other, name) else SEVERAL for name in NAMES}
    digests = {name: "" for name in NAMES if name.startswith("digest") and names[name] == SEVERAL}
    return replace(one, **{**sums, **names, **digests})
