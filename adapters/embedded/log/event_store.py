"""The log in SQLite: `commands.ports.EventStore` on the library's own recorder and table."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from adapters.embedded.log.append_plan import last_version
from adapters.embedded.log.recorder import ChainedRecorder, tail
from adapters.log.appends import KnownAppendError, Place, append_of, receipt_of
from adapters.log.events import decode
from commands.ports import DuplicateAppend, Receipt, Stamp
from domain.errors import NotAbleError
from domain.events import UNSTAMPED, Event

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


class SqliteEventStore(ChainedRecorder):
    """The log. Made on a `Database`; creates its tables."""

    def append(self, events: Sequence[Event], stamp: Stamp) -> Receipt:
        """Store the events of one command together, stamped with its metadata, or nothing."""
        stamped = tuple([event.stamped(stamp.metadata) for event in events])
        try:
            place = self.store(append_of(stamped, stamp))
        except KnownAppendError:
            raise DuplicateAppend(self._known(stamp.append_id)) from None
        return receipt_of(place, stamp, stamped)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        """Return the events of a stream in order, up to the commit that covers position `until`."""
        with self.datastore.reading() as connection:
            end = 2**62 if until is None else _end_of_commit(connection, until)
            rows = connection.execute(STREAM, (stream, end)).fetchall()
        return [decode(*row) for row in rows]

    def version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 where it has none."""
        with self.datastore.reading() as connection:
            return last_version(connection, stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` names of existing streams that begin so, in order."""
        with self.datastore.reading() as connection:
            rows = connection.execute(STREAMS, (prefix, prefix + LAST_CHARACTER, limit)).fetchall()
        return [name for (name,) in rows]

    def find_append(self, append_id: UUID) -> Receipt | None:
        """Return the append of this id."""
        with self.datastore.reading() as connection:
            found = connection.execute(APPEND, (append_id.bytes,)).fetchone()
            if found is None:
                return None
            *place, command_id, digest = found
            rows = connection.execute(EVENTS_BETWEEN, (place[0], place[1])).fetchall()
        events = tuple(decode(*row) for row in rows)
        metadata = events[0].metadata if events else UNSTAMPED
        stamp = Stamp(UUID(bytes=command_id), append_id, metadata, digest)
        return receipt_of(Place(*place), stamp, events)

    def head(self) -> tuple[int, bytes]:
        """Return the last commit's position and chain hash; (0, 32 zero bytes) for an empty log."""
        with self.datastore.reading() as connection:
            last = tail(connection)
        return last.position, last.hash

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
