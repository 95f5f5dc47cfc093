"""The event log in SQLite: `commands.ports.EventStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.embedded.database import Database
from adapters.embedded.log.commit_schema import EVENT_LOG
from adapters.embedded.log.engine import LogAppender, LogReader
from adapters.log.appends import Append, AppendPlan, KnownAppendError, append_of, stored_append
from adapters.log.chain import LastEntry
from adapters.log.events import decode
from adapters.log.group_commit import Pending
from adapters.log.times import from_microseconds, microseconds_now
from commands.ports import AppendHeader, DuplicateAppend, StoredAppend
from domain.errors import NotAbleError
from domain.events import NO_METADATA, Event
from projections.ports import RawCommit, RawEvent

LAST_CHARACTER: Final = "\U0010ffff"
STREAM: Final = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ? AND rowid <= ? ORDER BY originator_version"""
LAST_VERSION: Final = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
STREAMS: Final = """
SELECT DISTINCT originator_id FROM stored_events
WHERE originator_id >= ? AND originator_id < ? ORDER BY originator_id LIMIT ?"""
COMMIT_OF: Final = "SELECT position FROM commits WHERE position >= ? ORDER BY position LIMIT 1"
APPEND: Final = "SELECT first, position, at, hash, command_id, digest FROM commits WHERE append_id = ?"
APPENDED: Final = """
SELECT originator_id, originator_version, topic, state FROM stored_events WHERE rowid BETWEEN ? AND ? ORDER BY rowid"""

Job = Pending[Append, RawCommit]


class SqliteEventStore:
    """`now` gives microseconds and may go back without harm. Makes the tables, or migrates them."""

    def __init__(self, database: Database, now: Callable[[], int] = microseconds_now) -> None:
        self._reader = LogReader(database, EVENT_LOG)
        self._appender = LogAppender(self._reader, SqliteCommitPlanner(now))
        self._reading = database.reading

    def append(self, events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        complete = tuple([event.with_metadata(header.metadata) for event in events])
        try:
            commit = self._appender.append(append_of(complete, header))
        except KnownAppendError:
            appended = self.find_append(header.append_id)
            if appended is None:
                again = "The append was met on its way into the log and did not arrive; repeat the call."
                raise NotAbleError(again) from None
            raise DuplicateAppend(appended) from None
        return stored_append(commit, header, complete)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        with self._reading() as connection:
            end = 2**62 if until is None else until
            if 0 < end < 2**62:
                (end,) = connection.execute(COMMIT_OF, (end,)).fetchone() or (end,)
            rows = connection.execute(STREAM, (stream, end)).fetchall()
        return [decode(*row) for row in rows]

    def version(self, stream: str) -> int:
        with self._reading() as connection:
            return _last_version(connection, stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        with self._reading() as connection:
            rows = connection.execute(STREAMS, (prefix, prefix + LAST_CHARACTER, limit)).fetchall()
        return [name for (name,) in rows]

    def find_append(self, append_id: UUID) -> StoredAppend | None:
        with self._reading() as connection:
            found = connection.execute(APPEND, (append_id.bytes,)).fetchone()
            if found is None:
                return None
            first, position, at, chain_hash, command_id, digest = found
            rows = connection.execute(APPENDED, (first, position)).fetchall()
        events = tuple([decode(*row) for row in rows])
        metadata = events[0].metadata if events else NO_METADATA
        header = AppendHeader(UUID(bytes=command_id), append_id, metadata, digest)
        return StoredAppend(first, position, from_microseconds(at), header, chain_hash, events)

    def end(self) -> tuple[int, bytes]:
        last = self._reader.last_entry()
        return last.position, last.hash


class SqliteCommitPlanner:
    """Gives appends their places; one that is in the log already, or comes too late, is refused."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def plan(
        self, connection: sqlite3.Connection, last: LastEntry, jobs: Sequence[Job], *, trusting: bool
    ) -> list[tuple[Job, RawCommit]]:
        log = StoredStreams(connection, trusting)
        return AppendPlan(log, last, self._now(), trusting=trusting).add_all(jobs)


@dataclass(slots=True)
class StoredStreams:
    """The log as an append plan sees it; a trusting plan leaves a taken first version to the table's unique key."""

    connection: sqlite3.Connection
    trusting: bool

    def version_before(self, event: RawEvent) -> int:
        return 0 if self.trusting and event.version == 1 else _last_version(self.connection, event.stream)

    def holds_append(self, append_id: UUID) -> bool:
        return self.connection.execute(APPEND, (append_id.bytes,)).fetchone() is not None


def _last_version(connection: sqlite3.Connection, stream: str) -> int:
    (version,) = connection.execute(LAST_VERSION, (stream,)).fetchone()
    return version or 0
