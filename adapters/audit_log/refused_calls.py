"""Refused calls of unknown callers: each recorded while they are few, counted once they are many."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Final

from domain.errors import AutoLearnError
from projections.ports import AuditLog, AuditRecord

logger = logging.getLogger(__name__)

BURST: Final = 100  # records at once
EACH_SECONDS: Final = 10.0  # for one more
SEVERAL: Final = "(several)"
NAMES: Final = ("source", "target", "operation", "digest_in", "digest_out")
SUMS: Final = ("count", "milliseconds", "bytes_in", "bytes_out")


class RefusedCalls:
    """Records calls of unknown callers: at most 100 at once and then one record each 10 s, whatever they do.

    What does not fit is counted by outcome and problem, and stored as one record each as soon as there is room: its
    `count` says how many calls it stands for. Below the disk reserve nothing is stored before `finish`.
    """

    def __init__(
        self,
        audit_log: AuditLog,
        burst: int = BURST,
        each_seconds: float = EACH_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audit_log, self._burst, self._each, self._now = audit_log, burst, each_seconds, now
        self._lock = Lock()
        self._room, self._since = float(burst), now()
        self._counted: dict[tuple[str, str], AuditRecord] = {}
        self._finished = False

    def append(self, record: AuditRecord) -> None:
        """Store one before its answer is sent, or count it."""
        with self._lock:
            fits = self._finished or (not self._counted and self._take_room())
            if not fits:
                self._add(record)
        if fits:
            self._store(record)

    def count(self, record: AuditRecord) -> None:
        """Count one without a wait: it is stored by the next `flush` that has room."""
        with self._lock:
            self._add(record)

    @property
    def is_flush_due(self) -> bool:
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

    def _next(self) -> AuditRecord | None:
        with self._lock:
            if not self._counted or not self._take_room():
                return None
            return self._counted.pop(next(iter(self._counted)))

    def _store(self, record: AuditRecord) -> bool:
        try:
            if not self._finished:
                self._audit_log.check_able()
            self._audit_log.append(record)
        except Exception as failure:
            if self._finished or not isinstance(failure, AutoLearnError):
                logger.exception("%s refused calls (%s) are not recorded", record.count, record.outcome)
            self.count(record)
            return False
        return True

    def _add(self, record: AuditRecord) -> None:
        kind = (record.outcome, record.problem)
        before = self._counted.get(kind)
        self._counted[kind] = record if before is None else _merge(before, record)

    def _take_room(self) -> bool:
        if not self._has_room():
            return False
        self._room -= 1
        return True

    def _has_room(self) -> bool:
        now = self._now()
        self._room = min(self._room + (now - self._since) / self._each, float(self._burst))
        self._since = now
        return self._room >= 1


def _merge(one: AuditRecord, other: AuditRecord) -> AuditRecord:
    sums = {name: getattr(one, name) + getattr(other, name) for name in SUMS}
    names = {name: getattr(one, name) if getattr(one, name) == getattr(other, name) else SEVERAL for name in NAMES}
    digests = {name: "" for name in NAMES if name.startswith("digest") and names[name] == SEVERAL}
    return replace(one, **{**sums, **names, **digests})
