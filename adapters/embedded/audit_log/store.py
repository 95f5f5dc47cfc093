"""The archive of communications in a SQLite file of its own: durable before the reply leaves, in one chain."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.audit_log.chain import Ends, following, normal
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
from adapters.embedded.directory.upgrade import prepare
from adapters.embedded.exact import as_stored
from adapters.embedded.log.tail_watcher import poll_beyond
from adapters.log.group_commit import GroupCommit
from adapters.log.times import microseconds_now
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import Archived, Communication

RING: Final = 1000


@dataclass(slots=True)
class _Job:
    communication: Communication
    record: Archived | None = None


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
            prepare(database, AUDIT_LOG)
        self._ring = deque(self._records(LAST, (RING,)), RING)
        database.growth.reach(self._ring[-1].position if self._ring else 0)

    def archive(self, communication: Communication) -> Archived:
        """Store one record durably; raises NotAbleError or DiskReserveError."""
        job = _Job(normal(communication))
        self._group.submit(job)
        if job.record is None:
            raise NotAbleError("The communication was not archived; repeat the call.")
        return job.record

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

    def _write(self, jobs: list[_Job]) -> None:
        try:
            with self._database.writing() as connection:
                records = self._chained(connection, jobs)
                connection.executemany(INSERT, map(to_row, records))
        except Exception as failure:
            self._failure = failure
            raise
        self._failure = None
        for job, record in zip(jobs, records, strict=True):
            job.record = record
        self._ring.extend(records)
        self._database.growth.reach(records[-1].position)

    def _chained(self, connection: sqlite3.Connection, jobs: list[_Job]) -> list[Archived]:
        last = connection.execute(END).fetchone()
        (number,) = connection.execute(LAST_NUMBER, (self._writer,)).fetchone()
        ends = Ends(last[0], last[1], last[2], number or 0) if last else Ends()
        records, now = [], self._now()
        for job in jobs:
            record, ends = following(ends, self._writer, job.communication, now)
            records.append(record)
        return records
