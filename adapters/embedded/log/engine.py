"""A log in a SQLite file: group commits of entries in order, each chained to the one before, and read back in order.

The event log (its entries: commits) and the audit log (records of calls) differ in their `LogSchema` and `Planner`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from adapters.embedded.database import Database
from adapters.embedded.integrity import Check, content_faults
from adapters.embedded.schema import Schema, migrate
from adapters.embedded.stored_rows import read_leniently
from adapters.log.chain import E, LastEntry
from adapters.log.group_commit import GroupCommit, Pending
from domain.errors import NotAbleError

POLL_SECONDS: Final = 0.02
BEFORE_ALL: Final = -(2**63)
LAST: Final = 2**63 - 1

I = TypeVar("I")  # noqa: E741 - what callers hand in


@dataclass(frozen=True)
class LogSchema(Generic[E]):
    """How a log's entries are stored. `table` has a row per entry with `position`, `at` (microseconds) and `hash`."""

    file: Schema
    table: str
    insert: Callable[[sqlite3.Connection, Sequence[E]], None]
    read: Callable[[sqlite3.Connection, int, int], list[E]]  # after a position, about so many positions, at least one
    checks: tuple[Check, ...] = ()  # of rows that `read` passes over


class LogReader(Generic[E]):
    """A log as its readers see it; one of another process (`read_only`) is polled for more."""

    def __init__(self, database: Database, schema: LogSchema[E]) -> None:
        self.database, self.schema = database, schema
        last = f"FROM {schema.table} WHERE position > 0 AND position <= ? ORDER BY position DESC LIMIT 1"
        self._last_entry_query, self._time_query = f"SELECT position, at, hash {last}", f"SELECT position, at {last}"

    def read(self, after: int, limit: int) -> list[E]:
        """Return entries after a position, about `limit` positions, at least one; of damaged ones what is left."""
        with self.database.reading() as connection:
            return read_leniently(connection, lambda: self.schema.read(connection, after, limit))

    def last_entry(self, until: int = LAST) -> LastEntry:
        """Return the entry with the greatest position that is <= `until`."""
        with self.database.reading() as connection:
            return self.last_entry_in(connection, until)

    def last_entry_in(self, connection: sqlite3.Connection, until: int = LAST) -> LastEntry:
        row = connection.execute(self._last_entry_query, (until,)).fetchone()
        return LastEntry(*row) if row else LastEntry()

    def last_until(self, at: int) -> int:
        """Return the position of the last entry with a time <= `at` (microseconds); 0 where there is none.

        Times never go back, so a binary search does without an index, which would slow appends down.
        """
        with self.database.reading() as connection:
            low, high = 0, self._last(connection, LAST)[0]
            while low < high:
                middle = (low + high + 1) // 2
                position, time = self._last(connection, middle)
                low, high = (middle, high) if time <= at else (low, position - 1)
            return self._last(connection, low)[0]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        if not self.database.read_only:
            return self.database.tail_watcher.wait_beyond(position, timeout)
        end = time.monotonic() + timeout
        while self.last_entry().position <= position:
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(POLL_SECONDS, left))
        return True

    def file_faults(self) -> list[str]:
        """Return what is wrong with the file besides its chain: pages, tables, values, rows that `read` passes over."""
        return content_faults(self.database.path, self.database.reading, self.schema.file, *self.schema.checks)

    def _last(self, connection: sqlite3.Connection, until: int) -> tuple[int, int]:
        return connection.execute(self._time_query, (until,)).fetchone() or (0, BEFORE_ALL)


class Planner(Protocol[I, E]):
    """Makes entries of what callers hand in. Only one thread at a time calls it."""

    def plan(
        self, connection: sqlite3.Connection, last: LastEntry, jobs: Sequence[Pending[I, E]], *, trusting: bool
    ) -> list[tuple[Pending[I, E], E]]:
        """Return the jobs with the entries that follow the last one; a job that must not go in gets its refusal.

        A `trusting` plan may leave to the table's unique keys what they can tell; where one refuses the transaction,
        everything is planned again without trust.
        """
        ...


class LogAppender(Generic[I, E]):
    """The one writer of a log; it makes the tables, or migrates them. `after` gets what was written, in order."""

    def __init__(
        self, reader: LogReader[E], planner: Planner[I, E], after: Callable[[Sequence[E]], None] | None = None
    ) -> None:
        self._reader, self._planner, self._after = reader, planner, after
        self._database = reader.database
        self.failure: Exception | None = None  # of the last write
        if not self._database.read_only:
            migrate(self._database, reader.schema.file)
        self._last = reader.last_entry()
        self._database.tail_watcher.reach(self._last.position)
        self._group = GroupCommit(self._write)

    def append(self, what: I) -> E:
        """Return the entry when it is durable; raises its refusal, NotAbleError or DiskReserveError."""
        job: Pending[I, E] = Pending(what)  # calling the generic alias would take 3 µs more
        self._group.submit(job)
        return job.result()

    def _write(self, jobs: list[Pending[I, E]]) -> None:
        try:
            try:
                entries = self._transact(jobs, self._last)
            except sqlite3.IntegrityError:
                entries = self._transact(jobs, None)
        except sqlite3.IntegrityError as error:
            name = Path(self._database.path).name
            self.failure = NotAbleError(
                f"{name} has rows that no append wrote; `autolearn verify` shows them: {error}."
            )
            raise self.failure from error
        except Exception as failure:
            self.failure = failure
            raise
        self.failure = None
        if self._after is not None:
            self._after(entries)
        self._database.tail_watcher.reach(self._last.position)

    def _transact(self, jobs: Sequence[Pending[I, E]], known: LastEntry | None) -> list[E]:
        with self._database.writing() as connection:
            last = known or self._reader.last_entry_in(connection)
            for job in jobs:
                job.refusal = None
            planned = self._planner.plan(connection, last, jobs, trusting=known is not None)
            entries = [entry for _, entry in planned]
            self._reader.schema.insert(connection, entries)
        for job, entry in planned:
            job.entry = entry
        self._last = LastEntry.of(entries[-1]) if entries else last
        return entries
