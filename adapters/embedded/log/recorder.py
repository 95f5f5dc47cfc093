"""The `eventsourcing` library's SQLite recorder with a chained commit for every insert, group commit and subscriptions.

Positions are the library's notification ids. Each commit has a row in `commits` beside the library's own events table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription, StoredEvent, Subscription
from eventsourcing.sqlite import SQLiteApplicationRecorder

from adapters.embedded.database import Database
from adapters.embedded.directory.upgrade import prepare
from adapters.embedded.log.append_plan import Plan, commit_rows, event_rows
from adapters.embedded.log.tables import LOG
from adapters.log.appends import START, Append, Place, append_of_stored
from adapters.log.group_commit import GroupCommit
from adapters.log.times import microseconds_now
from domain.errors import NotAbleError

INSERT_EVENT: Final = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)"
)
INSERT_COMMIT: Final = "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?)"
TAIL: Final = "SELECT first, position, at, hash FROM commits ORDER BY position DESC LIMIT 1"


class ChainedRecorder(SQLiteApplicationRecorder):
    """Stores appends in commits, in order, durably; `now` gives microseconds and may go back without harm."""

    datastore: Database

    def __init__(self, database: Database, now: Callable[[], int] = microseconds_now) -> None:
        super().__init__(database)
        self._now = now
        self._group = GroupCommit(self._write)
        self.create_table()
        with database.reading() as connection:
            self._tail = tail(connection)
        database.growth.reach(self._tail.position)

    def create_table(self) -> None:
        """Make the tables, the library's own as strict as ours, or bring older ones to their layout."""
        if not self.datastore.read_only:
            prepare(self.datastore, LOG)

    def store(self, append: Append) -> Place:
        """Store the append, together with others that are waiting; raises its refusal."""
        self._group.submit(append)
        if append.refusal:
            raise append.refusal
        return append.place or START

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Store events as the library asks for it, in one commit; returns their positions."""
        if not stored_events:
            return []
        place = self.store(append_of_stored(stored_events))
        return list(range(place.first, place.position + 1))

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follow the log from a position on, woken by each commit of this process."""
        return _Follower(self, gt, topics)

    def _write(self, appends: list[Append]) -> None:
        try:
            self._tail = self._transact(appends, self._tail)
        except sqlite3.IntegrityError:
            self._tail = self._transact_carefully(appends)
        self.datastore.growth.reach(self._tail.position)

    def _transact_carefully(self, appends: list[Append]) -> Place:
        try:
            return self._transact(appends, None)
        except sqlite3.IntegrityError as error:
            raise NotAbleError(
                f"The log holds events that no commit brought; `autolearn verify` shows them: {error}."
            ) from error

    def _transact(self, appends: list[Append], known_tail: Place | None) -> Place:
        with self.datastore.writing() as connection:
            plan = Plan(connection, self._now(), known_tail or tail(connection), trusting=known_tail is not None)
            for append in appends:
                plan.add(append)
            connection.executemany(INSERT_EVENT, event_rows(plan.appends))
            connection.executemany(INSERT_COMMIT, commit_rows(plan.appends))
        return plan.tail


class _Follower(ListenNotifySubscription[ChainedRecorder]):
    """The library's subscription; it only needs to be told when there is more."""

    def __init__(self, recorder: ChainedRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        recorder.datastore.growth.tell(self._has_been_notified.set)

    def stop(self) -> None:
        self._recorder.datastore.growth.tell_no_more(self._has_been_notified.set)
        super().stop()


def tail(connection: sqlite3.Connection) -> Place:
    """Return the place of the last commit."""
    row = connection.execute(TAIL).fetchone()
    return Place(*row) if row else START
