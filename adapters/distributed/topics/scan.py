"""A topic read once from its first record to its last, whatever it holds: to judge it, not to follow it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from adapters.distributed.topics.cloud_events import DamagedRecordError, Record
from adapters.distributed.topics.consumer import Consumed, TopicConsumer
from adapters.distributed.topics.kafka import NoTopicError
from domain.errors import NotAbleError

AT_ONCE: Final = 500
# With librdkafka's own limits it takes 125 MiB more memory and is no faster.
READ_AHEAD_MESSAGES: Final = 5000
READ_AHEAD_KIBIBYTES: Final = 8192
SILENT_SECONDS: Final = 30.0  # between two signs of life of a broker that still has something to give

Finding = tuple[int | None, str]


class TopicScan:
    """All committed records of one topic, of one installation (`source`: its `ce_source`), or of that of the first."""

    def __init__(self, address: str, topic: str, source: str | None = None) -> None:
        self._address, self.topic = address, topic
        self.source = source
        self.last = 0  # the position of the last record read
        self.offset, self.end = 0, 0  # Kafka's offsets: how far it is read, and what there was at the beginning

    def records(self, until: int = 0, timeout: float = 0.0) -> Iterator[Record | Finding]:
        """Yield each record, or (position, what is wrong with it); where `until` is not reached, wait for more.

        `timeout`: so many seconds from when the end was first seen. Raises NotAbleError, ForbiddenError.
        """
        with TopicConsumer(
            self._address,
            self.topic,
            fetch_wait_max_ms=10,
            queued_min_messages=READ_AHEAD_MESSAGES,
            read_ahead_kibibytes=READ_AHEAD_KIBIBYTES,
        ) as consumer:
            try:
                low, self.end = consumer.bounds()
            except NoTopicError:
                return
            consumer.seek(low)
            is_at_end, deadline = False, time.monotonic() + SILENT_SECONDS
            while True:
                if not is_at_end and (consumer.is_at_end or consumer.reached >= self.end):
                    is_at_end, deadline = True, time.monotonic() + timeout
                left = deadline - time.monotonic()
                if is_at_end and (self.last >= until or left <= 0):
                    return
                if left <= 0:
                    raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) gave nothing for {SILENT_SECONDS:.0f} s.")
                found = consumer.read(min(1.0, left), AT_ONCE)
                for consumed in found:
                    self.offset = consumed.offset + 1
                    yield self._judge(consumed)
                if found and not is_at_end:
                    deadline = time.monotonic() + SILENT_SECONDS

    def _judge(self, consumed: Consumed) -> Record | Finding:
        try:
            record = consumed.record
        except DamagedRecordError as damaged:
            return None, f"offset {consumed.offset} of {self.topic}: {damaged.sentence}"
        source = record.headers.get("ce_source", b"").decode(errors="replace")
        self.source = self.source or source
        if source != self.source:
            return record.position, f"a record of {source!r} is in {self.topic}, which belongs to {self.source!r}"
        self.last = max(self.last, record.position)
        return record
