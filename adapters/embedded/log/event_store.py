"""The log in SQLite: `commands.ports.EventStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from adapters.embedded.database import Database
from adapters.embedded.log.append_plan import StoredRows, commit_rows, event_rows, last_version
from adapters.embedded.log.tables import LOG
from adapters.embedded.schema import migrate
from adapters.log.appends import Append, AppendPlan, KnownAppendError, append_of, receipt_of
from adapters.log.chain import Tail
from adapters.log.events import decode
from adapters.log.group_commit import GroupCommit, Pending
from adapters.log.times import from_microseconds, microseconds_now
from commands.ports import DuplicateAppend, Receipt, Stamp, VersionConflict
from domain.errors import NotAbleError
from domain.events import UNSTAMPED, Event
from projections.ports import RawCommit

LAST_CHARACTER: Final = "\U0010ffff"

STREAM: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events"
    " WHERE originator_id = ? AND rowid <= ? ORDER BY originator_version"
)
EVENTS_BETWEEN: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events"
    " WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
)
STREAMS: Final = (
    "SELECT DISTINCT originator_id FROM stored_events"
    " WHERE originator_id >= ? AND originator_id < ? ORDER BY originator_id LIMIT ?"
)
COVERING_COMMIT: Final = "SELECT position FROM commits WHERE position >= ? ORDER BY position LIMIT 1"
APPEND: Final = "SELECT first, position, at, hash, command_id, digest FROM commits WHERE append_id = ?"


INSERT_EVENT: Final = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)"
)
INSERT_COMMIT: Final = "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?)"
TAIL: Final = "SELECT position, at, hash FROM commits ORDER BY position DESC LIMIT 1"


class SqliteEventStore:
    """The log. Made on a `Database`; creates its tables. `now` gives microseconds and may go back without harm."""

    def __init__(self, database: Database, now: Callable[[], int] = microseconds_now) -> None:
        self._database, self._now = database, now
        self._group = GroupCommit(self._write)
        if not database.read_only:
            migrate(database, LOG)
        with database.reading() as connection:
            self._tail = tail(connection)
        database.growth.reach(self._tail.position)

    def append(self, events: Sequence[Event], stamp: Stamp) -> Receipt:
        """Store the events of one command together, stamped with its metadata, or nothing."""
        stamped = tuple([event.stamped(stamp.metadata) for event in events])
        try:
            commit = self._store(append_of(stamped, stamp))
        except KnownAppendError:
            raise DuplicateAppend(self._known(stamp.append_id)) from None
        return receipt_of(commit, stamp, stamped)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        """Return the events of a stream in order, up to the commit that covers position `until`."""
        with self._database.reading() as connection:
            end = 2**62 if until is None else _end_of_commit(connection, until)
            rows = connection.execute(STREAM, (stream, end)).fetchall()
        return [decode(*row) for row in rows]

    def version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 where it has none."""
        with self._database.reading() as connection:
            return last_version(connection, stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` names of existing streams that begin so, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(STREAMS, (prefix, prefix + LAST_CHARACTER, limit)).fetchall()
        return [name for (name,) in rows]

    def find_append(self, append_id: UUID) -> Receipt | None:
        """Return the append of this id."""
        with self._database.reading() as connection:
            found = connection.execute(APPEND, (append_id.bytes,)).fetchone()
            if found is None:
                return None
            first, position, at, found_hash, command_id, digest = found
            rows = connection.execute(EVENTS_BETWEEN, (first, position)).fetchall()
        events = tuple(decode(*row) for row in rows)
        metadata = events[0].metadata if events else UNSTAMPED
        stamp = Stamp(UUID(bytes=command_id), append_id, metadata, digest)
        return Receipt(first, position, from_microseconds(at), stamp, found_hash, events)

    def head(self) -> tuple[int, bytes]:
        """Return the last commit's position and chain hash; (0, 32 zero bytes) for an empty log."""
        with self._database.reading() as connection:
            last = tail(connection)
        return last.position, last.hash

    def _store(self, append: Append) -> RawCommit:
        """Store the append, together with others that are waiting; raises its refusal."""
        job = Pending[Append, RawCommit](append)
        self._group.submit(job)
        return job.result()

    def _write(self, jobs: list[Pending[Append, RawCommit]]) -> None:
        try:
            self._tail = self._transact(jobs, self._tail)
        except sqlite3.IntegrityError:
            self._tail = self._transact_carefully(jobs)
        self._database.growth.reach(self._tail.position)

    def _transact_carefully(self, jobs: list[Pending[Append, RawCommit]]) -> Tail:
        try:
            return self._transact(jobs, None)
        except sqlite3.IntegrityError as error:
            raise NotAbleError(
                f"The log holds events that no commit brought; `autolearn verify` shows them: {error}."
            ) from error

    def _transact(self, jobs: list[Pending[Append, RawCommit]], known_tail: Tail | None) -> Tail:
        trusting = known_tail is not None
        with self._database.writing() as connection:
            log = StoredRows(connection, trusting)
            plan = AppendPlan(log, known_tail or tail(connection), self._now(), trusting=trusting)
            planned = []
            for job in jobs:
                job.refusal = None
                try:
                    planned.append((job, plan.add(job.input)))
                except (KnownAppendError, VersionConflict) as refusal:
                    job.refusal = refusal
            commits = [commit for _, commit in planned]
            connection.executemany(INSERT_EVENT, event_rows(commits))
            connection.executemany(INSERT_COMMIT, commit_rows(commits))
        for job, commit in planned:
            job.entry = commit
        return plan.tail

    def _known(self, append_id: UUID) -> Receipt:
        receipt = self.find_append(append_id)
        if receipt is None:
            raise NotAbleError("The append was met on its way into the log and did not arrive; repeat the call.")
        return receipt


def _end_of_commit(connection: sqlite3.Connection, position: int) -> int:
    if position <= 0:
        return 0
    row: Any = connection.execute(COVERING_COMMIT, (position,)).fetchone()
    return int(row[0]) if row else position


def tail(connection: sqlite3.Connection) -> Tail:
    """Return where the log ends."""
    row = connection.execute(TAIL).fetchone()
    return Tail(*row) if row else Tail()
