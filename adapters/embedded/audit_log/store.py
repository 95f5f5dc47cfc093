"""The archive of communications in a SQLite file of its own: durable before the reply leaves, in one chain."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from adapters.audit_log.chain import record_after, tail_of
from adapters.audit_log.limits import limited
from adapters.embedded.audit_log.request_ids import answer_faults
from adapters.embedded.audit_log.rows import (
    AFTER,
    END,
    INSERT,
    LAST,
    LAST_NUMBER,
    from_row,
    selection,
    to_row,
)
from adapters.embedded.audit_log.tables import AUDIT_LOG
from adapters.embedded.database import Database
from adapters.embedded.exact import as_stored
from adapters.embedded.log.tail_watcher import poll_beyond
from adapters.embedded.schema import migrate
from adapters.log.chain import Tail
from adapters.log.group_commit import GroupCommit, Pending
from adapters.log.times import microseconds_now
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import Archived, Communication

RING: Final = 1000


class SqliteCommunications:
    """The archive as one process writes it, known by `writer`; with less free disk than `reserve` bytes it refuses.

    On a read-only `Database` it only reads.
    """

    def __init__(
        self, database: Database, writer: str, reserve: int = 0, now: Callable[[], int] = microseconds_now
    ) -> None:
        self._database, self._writer, self._reserve, self._now = database, writer, reserve, now
        self._failure: Exception | None = None
        self._group = GroupCommit(self._write)
        if not database.read_only:
            migrate(database, AUDIT_LOG)
        self._ring = deque(self._records(LAST, (RING,)), RING)
        database.growth.reach(self._ring[-1].position if self._ring else 0)

    def archive(self, communication: Communication) -> Archived:
        """Store one record durably; raises NotAbleError or DiskReserveError."""
        job = Pending[Communication, Archived](limited(communication))
        self._group.submit(job)
        return job.result()

    def check_able(self) -> None:
        """Raise NotAbleError where the last archiving failed, DiskReserveError below the reserve of free disk."""
        if not self._database.in_memory:
            folder = os.statvfs(Path(self._database.path).parent)
            free = folder.f_bavail * folder.f_frsize
            if free < self._reserve:
                msg = (
                    f"Only {free:,} bytes of disk are free and {self._reserve:,} are kept in reserve: free some first."
                )
                raise DiskReserveError(msg)
        if self._failure is not None:
            raise NotAbleError(f"Communications cannot be archived: {self._failure}")

    def recent(self, after: int) -> Sequence[Archived]:
        """Return what the memory ring (the last 1,000) has after a position."""
        return [record for record in self._ring.copy() if record.position > after]

    def page(self, filters: dict[str, str], before: int | None, limit: int) -> list[Archived]:
        """Return records before a position, newest first; `since` and `until` are ISO times with zone, inclusive."""
        with self._database.reading() as connection, as_stored(connection):
            where, values = selection(connection, filters, before)
            query = f"SELECT * FROM communications WHERE {where} ORDER BY position DESC LIMIT ?"  # noqa: S608 - from a table
            return [from_row(row) for row in connection.execute(query, [*values, limit])]

    def read(self, after: int, limit: int) -> list[Archived]:
        """Return records in order after a position: what verify reads, so damaged ones come back too."""
        return self._records(AFTER, (after, limit))

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the archive is longer than `position`; False after `timeout` seconds."""
        if not self._database.read_only:
            return self._database.growth.wait_beyond(position, timeout)
        return poll_beyond(self._length, position, timeout)

    def file_faults(self) -> list[str]:
        """Return what is wrong with the file besides its records: pages, tables, values, rows that `read` omits."""
        return self._database.faults(AUDIT_LOG, answer_faults)

    def _records(self, query: str, values: tuple[int, ...]) -> list[Archived]:
        with self._database.reading() as connection, as_stored(connection):
            return [from_row(row) for row in connection.execute(query, values)]

    def _length(self) -> int:
        with self._database.reading() as connection:
            last = connection.execute(END).fetchone()
        return last[0] if last else 0

    def _write(self, jobs: list[Pending[Communication, Archived]]) -> None:
        try:
            with self._database.writing() as connection:
                records = self._chained(connection, jobs)
                connection.executemany(INSERT, map(to_row, records))
        except Exception as failure:
            self._failure = failure
            raise
        self._failure = None
        for job, record in zip(jobs, records, strict=True):
            job.entry = record
        self._ring.extend(records)
        self._database.growth.reach(records[-1].position)

    def _chained(self, connection: sqlite3.Connection, jobs: list[Pending[Communication, Archived]]) -> list[Archived]:
        last = connection.execute(END).fetchone()
        (number,) = connection.execute(LAST_NUMBER, (self._writer,)).fetchone()
        tail, number = Tail(*last) if last else Tail(), number or 0
        records, now = list[Archived](), self._now()
        for number_, job in enumerate(jobs, number + 1):
            records.append(record_after(tail, self._writer, number_, job.input, now))
            tail = tail_of(records[-1])
        return records
