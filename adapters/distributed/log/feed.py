"""The event log read commit by commit in MongoDB, where it is ordered: `projections.ports.Feed`."""

from __future__ import annotations

from datetime import datetime

from adapters.distributed.document_format import time_of
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.reader import MongoLogReader, hash_of
from adapters.distributed.mongo import Mongo
from adapters.log.events import decode, decode_at
from adapters.log.times import to_microseconds
from projections.ports import CommitEnd, RawCommit, Recorded


class MongoFeed(MongoLogReader[RawCommit]):
    def __init__(self, mongo: Mongo) -> None:
        super().__init__(mongo, EVENT_LOG)

    def after(self, position: int, limit: int) -> list[Recorded]:
        return [
            Recorded(place, commit.position, commit.at, decode(event.stream, event.version, event.name, event.state))
            for commit in self.read(position, limit)
            for place, event in enumerate(commit.events, commit.first)
        ]

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        return self.read(position, limit)

    def position_at(self, moment: datetime) -> int:
        return self.last_until(to_microseconds(moment))

    def commit_at(self, position: int) -> CommitEnd:
        only = {"position": 1, "at": 1, "hash": 1}
        found = self.find({"$lte": position, "$gt": 0}, limit=1, newest=True, only=only)
        ends = (CommitEnd(int(it["position"]), time_of(it.get("at")), hash_of(it.get("hash"))) for it in found)
        return next(ends, CommitEnd())

    def of_stream(self, stream: str, until: int) -> list[Recorded]:
        return [
            Recorded(
                place,
                commit.position,
                commit.at,
                decode_at(commit.position, event.stream, event.version, event.name, event.state),
            )
            for commit in self.with_value("e.o", stream)
            if commit.position <= until
            for place, event in enumerate(commit.events, commit.first)
            if event.stream == stream
        ]
