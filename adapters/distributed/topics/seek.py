"""Looking at single places of a topic: its ends, its last record, the last record for which something holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import RLock
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka import Message as Consumed

from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record, record_of
from adapters.distributed.topics.kafka import PATIENCE_SECONDS, as_ours, consumer, kafka_errors
from domain.errors import NotAbleError

STEP_BACK: Final = 16  # records; behind the last one there is its transaction's mark, behind kills also aborted ones
WIDER: Final = 8
SETTLING_SECONDS: Final = 0.002


class Found(NamedTuple):
    """A committed record as it lies in the topic. `record` raises DamagedRecordError where no relay wrote it."""

    offset: int
    message: Message

    @property
    def record(self) -> Record:
        """What the message carries."""
        return record_of(self.message)


def offset_of(consumed: Consumed) -> int:
    """Return the place of a record, or of the end that an error names."""
    offset = consumed.offset()
    return -1 if offset is None else offset


def message_of(consumed: Consumed) -> Message:
    """Return the parts that we use; a foreign record may lack any."""
    return Message(consumed.key(), consumed.value(), consumed.headers() or [])  # type: ignore[arg-type] # judged when read


def is_readable(found: Found) -> bool:
    """Tell whether the record says its position."""
    try:
        _ = found.record
    except DamagedRecordError:
        return False
    return True


class Probe:
    """A consumer that jumps. Threads may share it. All methods raise NotAbleError where Kafka does not answer."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._partition = TopicPartition(topic, 0)
        self._doing = (f"read the topic {topic}", f"READ on the topic {topic}")
        self._bootstrap, self._topic = bootstrap, topic
        self._lock = RLock()
        # 10 ms: the end is reported after so long a wait for more; and no reading ahead, as the next look is elsewhere
        self._consumer = consumer(
            bootstrap, fetch_wait_max_ms=10, queued_min_messages=1, max_partition_fetch_bytes=65_536
        )

    def ends(self) -> tuple[int, int]:
        """Return the first offset and the one after all committed records: no record behind it is settled yet."""
        with self._lock, kafka_errors(*self._doing):
            low, end = self._consumer.get_watermark_offsets(self._partition, timeout=PATIENCE_SECONDS, cached=False)
        return low, end

    def written(self) -> int:
        """Return the offset after everything that was written, also in transactions that are still open."""
        with kafka_errors(*self._doing), consumer(self._bootstrap, isolation_level="read_uncommitted") as reader:
            return reader.get_watermark_offsets(self._partition, timeout=PATIENCE_SECONDS, cached=False)[1]

    def await_end(self, offset: int) -> None:
        """Wait until all before an offset is settled: a transaction is seen some milliseconds after its commit."""
        given_up = time.monotonic() + PATIENCE_SECONDS
        while self.ends()[1] < offset:
            if time.monotonic() > given_up:
                raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not settle the transactions of {self._topic} in time.")
            time.sleep(SETTLING_SECONDS)

    def first(self, start: int, end: int, wanted: Callable[[Found], bool] = lambda _: True) -> Found | None:
        """Return the first wanted committed record at an offset from `start` until before `end`."""
        with self._lock:
            return next((found for found in self._between(start, end) if wanted(found)), None)

    def all(self, start: int, end: int) -> list[Found]:
        """Return the committed records at offsets from `start` until before `end`."""
        with self._lock:
            return list(self._between(start, end))

    def count(self, start: int, end: int) -> int:
        """Return how many committed records there are at offsets from `start` until before `end`."""
        with self._lock:
            return sum(1 for _ in self._between(start, end))

    def last(self, wanted: Callable[[Found], bool] = lambda _: True) -> Found | None:
        """Return the last wanted committed record of the topic; None where there is none."""
        with self._lock:
            low, end = self.ends()
            step, until = STEP_BACK, end
            while until > low:
                start = max(low, end - step)
                matching = [found for found in self._between(start, until) if wanted(found)]
                if matching:
                    return matching[-1]
                until, step = start, step * WIDER
            return None

    def last_where(self, holds: Callable[[Record], bool]) -> Found | None:
        """Return the last record for which `holds`, which must hold up to some place and not beyond (some 20 looks)."""
        with self._lock:
            low, high = self.ends()
            best = None
            while low < high:
                middle = (low + high) // 2
                found = self.first(middle, high, is_readable)
                if found is not None and holds(found.record):
                    best, low = found, found.offset + 1
                else:
                    high = middle
            return best

    def close(self) -> None:
        """End the consumer."""
        with self._lock:
            self._consumer.close()

    def _between(self, start: int, end: int) -> Iterator[Found]:
        """Yield the committed records from one offset until before another."""
        with kafka_errors(*self._doing):
            self._consumer.assign([TopicPartition(self._topic, 0, start)])
        try:
            while True:
                consumed = self._next()
                if consumed is None or offset_of(consumed) >= end:
                    return
                yield Found(offset_of(consumed), message_of(consumed))
        finally:
            self._consumer.unassign()

    def _next(self) -> Consumed | None:
        """Return the next record, or None at the end of what is committed."""
        consumed = self._consumer.poll(PATIENCE_SECONDS)
        if consumed is None:
            raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not answer in time to {self._doing[0]}.")
        error = consumed.error()
        if error is None:
            return consumed
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the documented name
            return None
        raise as_ours(error, *self._doing)
