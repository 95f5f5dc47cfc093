"""The log read commit by commit: `projections.ports.Feed` on the store's file, of this process or of another one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from adapters.embedded.database import Database
from adapters.embedded.log.by_time import last_until
from adapters.embedded.log.checks import events_of_no_commit, streams_out_of_order
from adapters.embedded.log.event_store import tail
from adapters.embedded.log.raw_log import raw_commits
from adapters.embedded.log.tables import LOG
from adapters.embedded.log.tail_watcher import poll_beyond
from adapters.log.events import decode
from adapters.log.garbage_collection import uncollected
from adapters.log.times import EPOCH, from_microseconds, to_microseconds
from projections.ports import RawCommit, Recorded

COMMITS: Final = """
SELECT first, position, at FROM commits WHERE position > :after AND position <= max(:after + :limit, ifnull(
    (SELECT position FROM commits WHERE position > :after ORDER BY position LIMIT 1), 0)) ORDER BY position"""
EVENTS: Final = """
SELECT rowid, originator_id, originator_version, topic, state FROM stored_events
WHERE rowid BETWEEN ? AND ? ORDER BY rowid"""
LAST_COMMIT: Final = "SELECT position, at FROM commits WHERE position <= ? ORDER BY position DESC LIMIT 1"


def _decoded(commits: list[tuple[int, int, int]], rows: list[tuple[int, str, int, str, bytes]]) -> list[Recorded]:
    following = iter(commits)
    end, at = 0, EPOCH
    recorded = []
    for place, stream, version, name, state in rows:
        if place > end:
            _, end, microseconds = next(following)
            at = from_microseconds(microseconds)
        recorded.append(Recorded(place, end, at, decode(stream, version, name, state)))
    return recorded


class SqliteFeed:
    """The log as readers follow it. A read-only `Database` is another process's, so it is polled for growth."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return decoded events of whole commits after `position`, about `limit` events, at least one commit."""
        with self._database.reading() as connection:
            commits = connection.execute(COMMITS, {"after": position, "limit": limit}).fetchall()
            if not commits:
                return []
            rows = connection.execute(EVENTS, (commits[0][0], commits[-1][1])).fetchall()
        with uncollected():
            return _decoded(commits, rows)

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        """Return the same as stored, undecoded; of a damaged file, what can still be read of it."""
        with self._database.reading() as connection:
            return raw_commits(connection, position, limit)

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        if not self._database.read_only:
            return self._database.growth.wait_beyond(position, timeout)
        return poll_beyond(lambda: self.head()[0], position, timeout)

    def head(self) -> tuple[int, bytes]:
        """Return position and chain hash of the last commit; (0, 32 zero bytes) for an empty log."""
        with self._database.reading() as connection:
            last = tail(connection)
        return last.position, last.hash

    def position_at(self, moment: datetime) -> int:
        """Return the position of the last commit with `at` <= moment (0 where there is none)."""
        with self._database.reading() as connection:
            return last_until(connection, LAST_COMMIT, to_microseconds(moment))

    def commit_at(self, position: int) -> int:
        """Return the greatest commit position <= `position` (0 where there is none)."""
        with self._database.reading() as connection:
            row = connection.execute(LAST_COMMIT, (position,)).fetchone()
        return int(row[0]) if row else 0

    def file_faults(self) -> list[str]:
        """Return what is wrong with the file besides its commits: pages, tables, values, events that no commit brought.

        Streams are read here as they are served, by their index.
        """
        return self._database.faults(LOG, events_of_no_commit, streams_out_of_order)
