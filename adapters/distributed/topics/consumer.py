"""A consumer of one of our topics, by offsets: committed records of its only partition, Kafka's errors as ours."""

from __future__ import annotations

import time
from itertools import filterfalse
from typing import Any, Final, NamedTuple, Self
from uuid import uuid4

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka import Message as KafkaMessage

from adapters.distributed.topics import kafka
from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record, parse_record
from adapters.distributed.topics.kafka import KafkaConsumer, kafka_errors, translate
from adapters.host.process_metrics import KAFKA_SECONDS
from domain.errors import NotAbleError

AT_ONCE: Final = 10_000
# What librdkafka holds ahead of its reader: by default 64 MiB, which fill where reading is slower than fetching.
READ_AHEAD_KIBIBYTES: Final = 16_384


class Consumed(NamedTuple):
    """A record as it lies in the topic. `record` raises DamagedRecordError where no relay wrote it."""

    offset: int
    message: Message

    @property
    def record(self) -> Record:
        return parse_record(self.message)

    @property
    def is_readable(self) -> bool:
        try:
            _ = self.record
        except DamagedRecordError:
            return False
        return True


def offset_of(message: KafkaMessage) -> int:
    """Return the offset of a record, or of the end that an error names; -1 where there is none."""
    offset = message.offset()
    return -1 if offset is None else offset


def to_message(message: KafkaMessage) -> Message:
    """Return the parts that we use; a foreign record may lack any."""
    return Message(message.key(), message.value(), message.headers() or [])  # type: ignore[arg-type] # judged when read


def no_answer(topic: str) -> NotAbleError:
    return NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not answer in time to read the topic {topic}.")


class TopicConsumer:
    """`reached` is the offset after all that was read; transaction markers and aborted records count as read.

    `is_at_end`: the brokers had no more when they were last asked.

    All methods raise NotAbleError, ForbiddenError, BadInputError. One thread at a time.
    """

    def __init__(
        self,
        address: str,
        topic: str,
        *,
        isolation_level: str = "read_committed",
        read_ahead_kibibytes: int = READ_AHEAD_KIBIBYTES,
        **more: Any,
    ) -> None:
        self.reached, self.is_at_end = -1, False
        self._partition = TopicPartition(topic, 0)
        self._errors = (f"read the topic {topic}", f"READ on the topic {topic}")
        with kafka_errors(*self._errors):
            self._consumer = KafkaConsumer(
                address,
                group_id=f"autolearn-{uuid4().hex}",  # librdkafka wants one; nothing ever joins it
                isolation_level=isolation_level,
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                enable_partition_eof=True,
                auto_offset_reset="error",
                fetch_error_backoff_ms=50,
                queued_max_messages_kbytes=read_ahead_kibibytes,
                fetch_queue_backoff_ms=5,  # by default a full queue makes the next record wait for a second
                **more,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._consumer.close()

    def bounds(self) -> tuple[int, int]:
        """Return the first offset and the one after all committed records: nothing behind it is settled yet."""
        with kafka_errors(*self._errors, self._consumer), KAFKA_SECONDS.labels("bounds").time():
            low, end = self._consumer.get_watermark_offsets(self._partition, timeout=kafka.REQUEST_SECONDS)
        return low, end

    def seek(self, offset: int) -> None:
        """Read on from an offset."""
        with kafka_errors(*self._errors, self._consumer):
            self._consumer.assign([TopicPartition(self._partition.topic, 0, offset)])
        self.reached, self.is_at_end = offset, False

    def pause(self) -> None:
        """Fetch nothing until the next `seek`."""
        self._consumer.unassign()

    def read(self, seconds: float, limit: int = AT_ONCE) -> list[Consumed]:
        """Return what is there, or else what comes first within `seconds`; [] too where the end is reached."""
        with kafka_errors(*self._errors, self._consumer):
            messages = list(filterfalse(_is_about_group, self._consumer.consume(min(limit, AT_ONCE), 0)))
            if not messages and (first := self._poll(seconds)) is not None:
                messages = [first]
        found = []
        for message in messages:
            error = message.error()
            if error is None:
                found.append(Consumed(offset_of(message), to_message(message)))
                self.reached, self.is_at_end = found[-1].offset + 1, False
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the documented name
                self.reached, self.is_at_end = max(self.reached, offset_of(message)), True
            else:
                raise translate(error, *self._errors, self._consumer)
        return found

    def _poll(self, seconds: float) -> KafkaMessage | None:
        deadline = time.monotonic() + seconds
        while True:
            first = self._consumer.poll(max(deadline - time.monotonic(), 0.0))
            if first is None or not _is_about_group(first):
                return first


def _is_about_group(message: KafkaMessage) -> bool:
    """Tell whether it says only that the group is not allowed, which nothing ever joins: so it needs no right."""
    error = message.error()
    return error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
