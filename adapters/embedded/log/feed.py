"""The event log read commit by commit: `projections.ports.Feed`, of this process or of another one."""

from __future__ import annotations

from datetime import datetime

from adapters.embedded.database import Database
from adapters.embedded.log.commit_schema import COMMITS_AFTER, EVENT_LOG, EVENTS_OF_STREAM, EVENTS_WITHIN, HASHES_AFTER
from adapters.embedded.log.engine import LogReader
from adapters.embedded.stored_rows import to_moment
from adapters.log.events import decode, decode_at
from adapters.log.times import EPOCH, from_microseconds, to_microseconds
from projections.garbage_collection import gc_paused
from projections.ports import CommitEnd, RawCommit, Recorded


class SqliteFeed(LogReader[RawCommit]):
    def __init__(self, database: Database) -> None:
        super().__init__(database, EVENT_LOG)

    def after(self, position: int, limit: int) -> list[Recorded]:
        with self.database.reading() as connection:
            commits = connection.execute(COMMITS_AFTER, {"after": position, "limit": limit}).fetchall()
            if not commits:
                return []
            rows = connection.execute(EVENTS_WITHIN, (commits[0][1] - 1, commits[-1][0])).fetchall()
        with gc_paused():
            following, end, at = iter(commits), 0, EPOCH
            recorded = []
            for place, stream, version, name, state in rows:
                if place > end:
                    end, _, microseconds, *_ = next(following)
                    at = from_microseconds(microseconds)
                recorded.append(Recorded(place, end, at, decode(stream, version, name, state)))
        return recorded

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        return self.read(position, limit)

    def hashes_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        with self.database.reading() as connection:
            found = connection.execute(HASHES_AFTER, {"after": position, "limit": limit}).fetchall()
        return [(at, stored if isinstance(stored, bytes) else b"") for at, stored in found]

    def end(self) -> tuple[int, bytes]:
        last = self.last_entry()
        return last.position, last.hash

    def position_at(self, moment: datetime) -> int:
        return self.last_until(to_microseconds(moment))

    def commit_at(self, position: int) -> CommitEnd:
        last = self.last_entry(position)
        if last.position == 0:
            return CommitEnd()
        at, stored = last.at, last.hash  # of a damaged file they can be anything
        moment = to_moment(at if isinstance(at, int) else 0, [])
        return CommitEnd(last.position, moment, stored if isinstance(stored, bytes) else b"")

    def of_stream(self, stream: str, until: int) -> list[Recorded]:
        with self.database.reading() as connection:
            rows = connection.execute(EVENTS_OF_STREAM, (stream, until)).fetchall()
        return [
            Recorded(place, end, from_microseconds(at), decode_at(end, stream, *event))
            for place, end, at, *event in rows
        ]
