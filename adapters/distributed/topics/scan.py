"""A topic read once from its first record to its last, whatever it holds: for those who judge it, not who follow it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from adapters.distributed.topics.cloud_events import DamagedRecordError, Record, record_of
from adapters.distributed.topics.kafka import PATIENCE_SECONDS, as_ours, code_of, consumer, kafka_errors
from adapters.distributed.topics.seek import message_of
from domain.errors import NotAbleError

AT_ONCE: Final = 500
SILENT_SECONDS: Final = 30.0  # between two signs of life of a broker that still has something to give
END_OF_TOPIC: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the documented name
NO_TOPIC: Final = {KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}  # noqa: SLF001 - as above

Finding = tuple[int | None, str]


class Tape:
    """All committed records of one topic, of one installation (`source`: its `ce_source`), or of that of the first."""

    def __init__(self, bootstrap: str, topic: str, source: str | None = None) -> None:
        self._bootstrap, self.topic = bootstrap, topic
        self.source = source
        self.last = 0  # the position of the last record read
        self.offset, self.end = 0, 0  # of Kafka's offsets: how far it is read, and what there was at the beginning

    def records(self, until: int = 0, timeout: float = 0.0) -> Iterator[Record | Finding]:
        """Yield each record, or (position, what is wrong with it); where `until` is not reached, wait for more.

        `timeout`: so many seconds from when the end was first seen. Raises NotAbleError, ForbiddenError.
        """
        for message in self._messages(lambda: self.last >= until, timeout):
            self.offset = (message.offset() or 0) + 1
            yield self._record(message)

    def _record(self, message: KafkaMessage) -> Record | Finding:
        try:
            record = record_of(message_of(message))
        except DamagedRecordError as damaged:
            return None, f"offset {message.offset()} of {self.topic}: {damaged.sentence}"
        source = record.headers.get("ce_source", b"").decode(errors="replace")
        if self.source is None:
            self.source = source
        if source != self.source:
            return record.position, f"a record of {source!r} is in {self.topic}, which belongs to {self.source!r}"
        self.last = max(self.last, record.position)
        return record

    def _messages(self, enough: Callable[[], bool], timeout: float) -> Iterator[KafkaMessage]:
        reading, right = f"read the topic {self.topic}", f"READ on the topic {self.topic}"
        with kafka_errors(reading, right), consumer(self._bootstrap, fetch_wait_max_ms=10) as opened:
            if not self._begin(opened):
                return
            patience = Patience(timeout)
            while not patience.is_over(enough()):
                messages = _next_ones(opened, patience.seconds())
                patience.saw(bool(messages))
                for message in messages:
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == END_OF_TOPIC:
                        patience.is_at_the_end()
                    else:
                        raise as_ours(error, reading, right)

    def _begin(self, opened: Consumer) -> bool:
        """Tell whether there is such a topic."""
        partition = TopicPartition(self.topic, 0, OFFSET_BEGINNING)
        try:
            _, self.end = opened.get_watermark_offsets(partition, timeout=PATIENCE_SECONDS)
        except KafkaException as error:
            if code_of(error) in NO_TOPIC:
                return False
            raise
        opened.assign([partition])
        return True


def _next_ones(opened: Consumer, seconds: float) -> list[KafkaMessage]:
    """Return what comes first, and whatever is there with it: `consume` alone would wait for the full number."""
    first = opened.poll(seconds)
    return [] if first is None else [first, *opened.consume(AT_ONCE, 0)]


class Patience:
    """How long to wait for more: at the end as long as is asked for, before it as long as a broker may be silent."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._at_end = False
        self._since = time.monotonic()

    def seconds(self) -> float:
        """Return how long the next look may take."""
        allowed = self._timeout if self._at_end else SILENT_SECONDS
        return max(0.0, min(1.0, self._since + allowed - time.monotonic()))

    def saw(self, something: bool) -> None:
        """Note whether the broker gave something."""
        if something and not self._at_end:
            self._since = time.monotonic()

    def is_at_the_end(self) -> None:
        """Note that the broker has no more now."""
        if not self._at_end:
            self._at_end, self._since = True, time.monotonic()

    def is_over(self, enough: bool) -> bool:
        """Tell whether to stop; raises NotAbleError where the broker became silent before the end."""
        late = self.seconds() <= 0
        if late and not self._at_end:
            raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) gave nothing for {SILENT_SECONDS:.0f} s.")
        return self._at_end and (enough or late)
