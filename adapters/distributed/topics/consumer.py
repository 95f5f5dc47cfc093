"""The records of a topic in order, each at the position after the one before it; what is not, is never skipped."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka import Message as Consumed

from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record, record_of
from adapters.distributed.topics.kafka import PATIENCE_SECONDS, as_ours, consumer, kafka_errors
from adapters.distributed.topics.seek import Probe, is_readable, message_of, offset_of
from adapters.log.appends import MAX_EVENTS
from domain.errors import NotAbleError

POLL_SECONDS: Final = 0.05
READ_AHEAD_KIBIBYTES: Final = 16_384
FETCH_MILLISECONDS: Final = 100  # so often the end is reported, and so long a change of place takes at most
AT_ONCE: Final = 10_000


class Stop(NamedTuple):
    """Where reading came to an end: after which position, at which offset, by what (None: the end), and the error."""

    position: int | None
    offset: int
    message: Message | None
    fault: DamagedRecordError


class TopicStream:
    """A reader that keeps its place; one thread at a time. A topic that was made anew is found again by position.

    `origin` is the `ce_source` that all records must have; None: that of the first record read.
    """

    def __init__(self, bootstrap: str, topic: str, probe: Probe, origin: str | None = None) -> None:
        self._bootstrap, self._topic, self._probe = bootstrap, topic, probe
        self._origin = None if origin is None else origin.encode()
        self._doing = (f"read the topic {topic}", f"READ on the topic {topic}")
        self._consumer: Consumer | None = None
        self._position: int | None = None  # all up to here was delivered; None: no place yet
        self._next = 1  # the position of the record that comes next
        self._read: list[Record] = []  # it, and what follows
        self._reached = 0  # the offset after all that was read
        self._fault: DamagedRecordError | None = None  # of what follows that
        self._stopped: Stop | None = None

    def after(self, position: int, limit: int) -> list[Record]:
        """Return records of whole commits after a position: one commit at least, about `limit` records.

        [] at the end. Asking again for the same position gives the same. Raises DamagedRecordError, NotAbleError.
        """
        moved = self._position != position
        if moved and not self._go_to(position):
            return []
        self._fill(limit, to_the_end=moved)
        whole = self._whole(limit)
        if whole or self._fault is None:
            return self._read[:whole]
        fault = self._fault
        self.leave()
        if moved:
            raise fault
        return self.after(position, limit)  # the topic may have been made anew

    def deliver(self, records: list[Record]) -> None:
        """Take what `after` returned for read."""
        if records and self._read[: len(records)] == records:
            del self._read[: len(records)]
            self._position = records[-1].position
            self._next = self._position + 1

    def wait(self, position: int, seconds: float) -> bool:
        """Wait a while for a record after a position; True where there is one, of whatever kind."""
        try:
            there = self._position == position or self._go_to(position)
        except DamagedRecordError:
            return True
        if not there:
            time.sleep(min(seconds, POLL_SECONDS))
            return False
        if not self._has_more() and self._consumer is not None:
            self._take(self._consumer.poll(seconds))
        return self._has_more()

    def leave(self) -> None:
        """Forget the place and end the consumer."""
        self._position, self._fault, self._read = None, None, []
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _has_more(self) -> bool:
        return bool(self._read) or self._fault is not None

    def _go_to(self, position: int) -> bool:
        """Stand behind the commit that ends at a position, or before the one that it is inside of.

        False while the topic does not reach the position.
        """
        place = self._place_after(position)
        self._check_stop(position, None if place is None else place[0])
        if place is None:
            return False
        offset, self._next = place
        with kafka_errors(*self._doing):
            if self._consumer is None:
                self._consumer = consumer(
                    self._bootstrap,
                    fetch_wait_max_ms=FETCH_MILLISECONDS,
                    queued_max_messages_kbytes=READ_AHEAD_KIBIBYTES,
                )
            self._consumer.assign([TopicPartition(self._topic, 0, offset)])
        self._position, self._read, self._fault, self._reached = position, [], None, offset
        return True

    def _place_after(self, position: int) -> tuple[int, int] | None:
        """Return offset and position of what comes next."""
        low, end = self._probe.ends()
        if position == 0:
            return low, 1
        last = self._probe.last(is_readable)
        if last is None or last.record.last < position:
            return None
        if last.record.last > position:
            last = self._probe.last_where(lambda record: record.last <= position)
        if last is not None:
            return last.offset + 1, last.record.last + 1
        first = self._probe.first(low, end, is_readable)
        begins = 1 if first is None else int(first.record.headers.get("ce_commitfirst", position + 1))
        return low, min(begins, position + 1)

    def _fill(self, limit: int, *, to_the_end: bool) -> None:
        """Read until `limit` records, or the end; unless told so, not to the end where a whole commit is there."""
        end = None
        given_up = time.monotonic() + PATIENCE_SECONDS
        while self._consumer is not None and self._fault is None and self._wanted(limit) > 0:
            consumed = self._consumer.consume(min(self._wanted(limit), AT_ONCE), 0)
            if consumed:
                for one in consumed:
                    self._take(one)
                given_up = time.monotonic() + PATIENCE_SECONDS
                continue
            if self._whole(limit) and not to_the_end:
                return
            end = self._probe.ends()[1] if end is None else end
            if self._is_at(end):
                return
            if time.monotonic() > given_up:
                self.leave()
                raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) did not answer in time to {self._doing[0]}.")
            self._take(self._consumer.poll(POLL_SECONDS))

    def _is_at(self, end: int) -> bool:
        """Tell whether all before `end` was read: seen, or passed over by the client as marks and aborted records."""
        if self._reached > end:
            self._fault = DamagedRecordError(f"The topic {self._topic} is shorter than it was.")
        elif self._reached == end and self._read and not self._whole(1):
            last = self._read[0].last
            self._stop(end, None, f"The topic {self._topic} ends inside the commit of positions up to {last}.")
        return self._reached >= end

    def _wanted(self, limit: int) -> int:
        """Return how many more records to read: up to the limit, or to the end of a commit that is longer."""
        at_least = self._read[0].last - self._read[0].position + 1 if self._read else 1
        return max(limit, at_least) - len(self._read)

    def _whole(self, limit: int) -> int:
        """Return how many of the read records are whole commits within the limit, or the first one."""
        if not self._read:
            return 0
        first = self._read[0].last - self._read[0].position + 1
        if len(self._read) < first:
            return 0
        count = min(len(self._read), max(limit, first))
        while self._read[count - 1].position != self._read[count - 1].last:
            count -= 1
        return count

    def _take(self, consumed: Consumed | None) -> None:
        if consumed is None or self._fault is not None:
            return
        error = consumed.error()
        if error is None:
            self._check(consumed)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the documented name
            self._reached = max(self._reached, offset_of(consumed))
        else:
            self.leave()
            raise as_ours(error, *self._doing)

    def _check(self, consumed: Consumed) -> None:
        offset = offset_of(consumed)
        self._reached = offset + 1
        expected = self._next + len(self._read)
        message = message_of(consumed)
        try:
            self._read.append(self._next_of_ours(expected, record_of(message)))
        except (DamagedRecordError, KeyError) as wrong:
            ours = (self._origin or b"").decode()
            place = f"position {expected} of {ours} at offset {offset}"
            self._stop(offset, message, f"The topic {self._topic} does not have {place}. {wrong}")

    def _stop(self, offset: int, message: Message | None, sentence: str) -> None:
        self._fault = DamagedRecordError(sentence)
        before = self._read[self._whole(len(self._read)) - 1].position if self._whole(1) else self._position
        self._stopped = Stop(before, offset, message, self._fault)

    def _check_stop(self, position: int, offset: int | None) -> None:
        """Raise the fault found behind a position if it lies there still and is not met again from `offset` on.

        What is read again is judged again: a client whose topic is made anew under it may have slipped by a record.
        """
        if self._stopped is None or self._stopped.position != position:
            return
        if offset is not None and offset <= self._stopped.offset:
            return
        found = self._probe.first(self._stopped.offset, self._stopped.offset + 1)
        if self._stopped.message == (found.message if found else None):
            raise self._stopped.fault
        self._stopped = None

    def _next_of_ours(self, expected: int, record: Record) -> Record:
        source = record.headers["ce_source"]
        self._origin = self._origin or source
        if record.position != expected or source != self._origin:
            raise DamagedRecordError(f"There is position {record.position} of {source.decode(errors='replace')}.")
        if not 0 <= record.last - record.position < MAX_EVENTS:
            raise DamagedRecordError(f"Its commit cannot end at {record.last}.")
        return record
