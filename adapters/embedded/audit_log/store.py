"""The audit log in a SQLite file of its own: a record is durable before its reply leaves, in one chain."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from adapters.audit_log.chain import record_after
from adapters.audit_log.limits import limited
from adapters.embedded.audit_log.record_schema import AUDIT_LOG, select_records
from adapters.embedded.audit_log.search import search
from adapters.embedded.database import Database
from adapters.embedded.log.engine import LogAppender, LogReader
from adapters.embedded.stored_rows import lenient_text
from adapters.log.chain import LastEntry
from adapters.log.group_commit import Pending
from adapters.log.times import microseconds_now
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import AuditRecord, StoredAuditRecord

RING: Final = 1000
LAST_NUMBER: Final = "SELECT max(number) FROM communications WHERE writer = ?"

Job = Pending[AuditRecord, StoredAuditRecord]


class SqliteAuditLog(LogReader[StoredAuditRecord]):
    """The audit log as one process writes it, known by `writer`; with less free disk than `reserve` bytes it refuses.

    On a read-only `Database` it only reads.
    """

    def __init__(
        self, database: Database, writer: str, reserve: int = 0, now: Callable[[], int] = microseconds_now
    ) -> None:
        super().__init__(database, AUDIT_LOG)
        self._reserve = reserve
        self._ring: deque[StoredAuditRecord] = deque(maxlen=RING)
        self._appender = LogAppender(self, SqliteRecordPlanner(writer, now), self._ring.extend)
        with database.reading() as connection, lenient_text(connection):
            self._ring.extend(reversed(select_records(connection, "true", [], RING, newest=True)))

    def append(self, record: AuditRecord) -> StoredAuditRecord:
        return self._appender.append(limited(record))

    def check_able(self) -> None:
        """Raise NotAbleError where the last append failed, DiskReserveError below the reserve of free disk."""
        if not self.database.in_memory:
            folder = os.statvfs(Path(self.database.path).parent)
            free = folder.f_bavail * folder.f_frsize
            if free < self._reserve:
                kept = f"{self._reserve:,} are kept in reserve: free some first."
                raise DiskReserveError(f"Only {free:,} bytes of disk are free and {kept}")
        if self._appender.failure is not None:
            raise NotAbleError(f"The audit log cannot be written: {self._appender.failure}")

    def recent(self, after: int) -> Sequence[StoredAuditRecord]:
        return [record for record in self._ring.copy() if record.position > after]

    def page(self, filters: dict[str, str], before: int | None, limit: int) -> list[StoredAuditRecord]:
        return search(self, filters, before, limit)


class SqliteRecordPlanner:
    """Gives each record its number among this writer's."""

    def __init__(self, writer: str, now: Callable[[], int]) -> None:
        self._writer, self._now = writer, now

    def plan(
        self,
        connection: sqlite3.Connection,
        last: LastEntry,
        jobs: Sequence[Job],
        *,
        trusting: bool,  # noqa: ARG002 - there is nothing to refuse
    ) -> list[tuple[Job, StoredAuditRecord]]:
        (last_number,) = connection.execute(LAST_NUMBER, (self._writer,)).fetchone()
        now, planned = self._now(), list[tuple[Job, StoredAuditRecord]]()
        for number, job in enumerate(jobs, (last_number or 0) + 1):
            planned.append((job, record_after(last, self._writer, number, job.input, now)))
            last = LastEntry.of(planned[-1][1])
        return planned
