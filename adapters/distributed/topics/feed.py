"""The log read from Kafka's topic: `projections.ports.Feed` for everything that follows the log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Final

from adapters.distributed.topics.cloud_events import Record, commit_of, hash_in, origin, reading, time_in
from adapters.distributed.topics.consumer import TopicStream
from adapters.distributed.topics.seek import Probe
from adapters.distributed.topics.topics import topics_of
from adapters.log.chain import GENESIS
from adapters.log.events import decode
from adapters.log.garbage_collection import uncollected
from projections.ports import RawCommit, Recorded

SLICE_SECONDS: Final = 0.1  # so long at most others of this process wait for one that waits
end_of_commit = attrgetter("last")


class KafkaFeed:
    """The topic `<database>.events` as readers follow it. Threads may share it; each change of place is a search.

    `installation`: the id whose records alone are taken; None: that of the first record read. A record that is not
    the next one of the log raises DamagedRecordError for as long as it is there; NotAbleError passes.
    """

    def __init__(self, bootstrap: str, database: str, installation: str | None = None) -> None:
        topic = topics_of(database)[0]
        ours = None if installation is None else origin(database, installation)
        self._probe = Probe(bootstrap, topic)
        self._stream = TopicStream(bootstrap, topic, self._probe, ours)
        self._lock = Lock()

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return decoded events of whole commits after `position`, about `limit` events, at least one commit."""
        with self._lock:
            records = self._stream.after(position, limit)
            with uncollected():
                decoded = [event for commit in _commits(records) for event in _decoded(commit)]
            self._stream.deliver(records)
        return decoded

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        """Return the same as stored, undecoded."""
        with self._lock:
            records = self._stream.after(position, limit)
            commits = [commit_of(commit) for commit in _commits(records)]
            self._stream.deliver(records)
        return commits

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the topic is longer than `position`; False after `timeout` seconds."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            with self._lock:
                if self._stream.wait(position, min(left, SLICE_SECONDS)):
                    return True
        if self.head()[0] <= position:
            return False
        with self._lock:
            self._stream.leave()  # it saw nothing: the topic was made anew, and its place is another now
        return True

    def head(self) -> tuple[int, bytes]:
        """Return position and chain hash of the topic's last commit; (0, 32 zero bytes) for an empty topic."""
        last = self._probe.last()
        if last is None:
            return 0, GENESIS
        record = last.record
        with reading(f"The record at position {record.position}"):
            return record.last, hash_in(record.headers, "ce_commithash")

    def position_at(self, moment: datetime) -> int:
        """Return the position of the last commit with `at` <= moment (0 where there is none)."""
        found = self._probe.last_where(lambda record: time_in(record.headers) <= moment)
        return found.record.last if found else 0

    def commit_at(self, position: int) -> int:
        """Return the greatest commit position <= `position` (0 where there is none)."""
        found = self._probe.last_where(lambda record: record.last <= position)
        return found.record.last if found else 0

    def close(self) -> None:
        """End the consumers."""
        with self._lock:
            self._stream.leave()
        self._probe.close()


def _commits(records: Sequence[Record]) -> Iterator[list[Record]]:
    return (list(commit) for _, commit in groupby(records, end_of_commit))


def _decoded(records: list[Record]) -> list[Recorded]:
    commit = commit_of(records)
    return [
        Recorded(position, commit.position, commit.at, decode(event.stream, event.version, event.name, event.state))
        for position, event in enumerate(commit.events, commit.first)
    ]
