"""The log read from Kafka's topic: `projections.ports.CommitFeed` for what follows the log."""

from __future__ import annotations

import time
from itertools import groupby
from operator import attrgetter
from typing import Final

from adapters.distributed.topics.cloud_events import hash_in, origin, parse_commit, reading
from adapters.distributed.topics.follower import TopicFollower
from adapters.distributed.topics.topics import topics_of
from adapters.log.events import decode
from projections.garbage_collection import gc_paused
from projections.ports import GENESIS, RawCommit, Recorded

CHECK_SECONDS: Final = 5.0  # between two looks whether a topic in which nothing happens was made anew
MILLISECOND: Final = 0.001  # what librdkafka counts in: for less it does not wait at all


class KafkaFeed:
    """The topic `<database>.events`, for one thread that follows it; each change of place is a search.

    `installation`: the id whose records alone are taken; None: that of the first record read. A record that is not
    the next one of the log raises DamagedRecordError for as long as it is there; NotAbleError passes.
    """

    def __init__(self, address: str, database: str, installation: str | None = None) -> None:
        ours = None if installation is None else origin(database, installation)
        self._follower = TopicFollower(address, topics_of(database)[0], ours)
        self._checked = 0.0

    def after(self, position: int, limit: int) -> list[Recorded]:
        records = self._follower.after(position, limit)
        with gc_paused():
            decoded = [
                Recorded(place, commit.position, commit.at, decode(it.stream, it.version, it.name, it.state))
                for _, group in groupby(records, attrgetter("last"))
                for commit in [parse_commit([*group])]
                for place, it in enumerate(commit.events, commit.first)
            ]
        self._follower.deliver(records)
        return decoded

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        records = self._follower.after(position, limit)
        commits = [parse_commit([*group]) for _, group in groupby(records, attrgetter("last"))]
        self._follower.deliver(records)
        return commits

    def wait_beyond(self, position: int, timeout: float) -> bool:
        end = time.monotonic() + timeout
        while True:
            left = max(end - time.monotonic(), 0.0)
            if self._follower.wait(position, left + MILLISECOND):
                return True
            if time.monotonic() >= end:
                return self._is_another_topic(position)

    def end(self) -> tuple[int, bytes]:
        record = self._follower.last_record()
        if record is None:
            return 0, GENESIS
        with reading(f"The record at position {record.position}"):
            return record.last, hash_in(record.headers, "ce_commithash")

    def close(self) -> None:
        self._follower.close()

    def _is_another_topic(self, position: int) -> bool:
        """Look, now and then, whether there is more although nothing came: a topic made anew has other offsets."""
        now = time.monotonic()
        if now < self._checked + CHECK_SECONDS:
            return False
        self._checked = now
        if self.end()[0] <= position:
            return False
        self._follower.leave()
        return True
