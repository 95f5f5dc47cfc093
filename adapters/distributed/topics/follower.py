"""Following a topic: its records in order, each at the position after the one before it; no other is ever skipped."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from adapters.distributed.topics import kafka
from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record
from adapters.distributed.topics.consumer import AT_ONCE, Consumed, TopicConsumer, no_answer
from adapters.distributed.topics.seek import TopicSeeker
from adapters.log.appends import MAX_EVENTS

POLL_SECONDS: Final = 0.05
FETCH_MILLISECONDS: Final = 100  # so often the end is reported, and so long a change of place takes at most


class TopicFault(NamedTuple):
    """What stopped the reading after a position: at which offset, which message (None: the topic's end)."""

    position: int | None
    offset: int
    message: Message | None
    error: DamagedRecordError


class TopicFollower:
    """Keeps its place in a topic, and finds it again by position in one that was made anew. One thread at a time.

    `origin` is the `ce_source` that all records must have; None: that of the first record read.
    """

    def __init__(self, address: str, topic: str, origin: str | None = None) -> None:
        self._address, self._topic = address, topic
        self._origin = None if origin is None else origin.encode()
        self._seeker = TopicSeeker(address, topic)
        self._consumer: TopicConsumer | None = None
        self._position: int | None = None  # all up to here was delivered; None: no place yet
        self._next = 1  # the position of the first record not delivered
        self._records: list[Record] = []  # read, and not delivered
        self._fault: TopicFault | None = None  # what follows them
        self._last_fault: TopicFault | None = None

    def after(self, position: int, limit: int) -> list[Record]:
        """Return records of whole commits after a position: one commit at least, about `limit` records.

        [] at the end. Asking again for the same position gives the same. Raises DamagedRecordError, NotAbleError.
        """
        has_moved = self._position != position
        if has_moved and not self._go_to(position):
            return []
        self._fill(limit, to_the_end=has_moved)
        whole = self._count_whole(limit)
        if whole or self._fault is None:
            return self._records[:whole]
        error = self._fault.error
        self.leave()
        if has_moved:
            raise error
        return self.after(position, limit)  # the topic may have been made anew

    def deliver(self, records: list[Record]) -> None:
        """Go on after what `after` returned."""
        if records and self._records[: len(records)] == records:
            del self._records[: len(records)]
            self._position = records[-1].position
            self._next = self._position + 1

    def wait(self, position: int, seconds: float) -> bool:
        """Wait for a record after a position; True where there is one, of whatever kind. May return False early."""
        try:
            is_placed = self._position == position or self._go_to(position)
        except DamagedRecordError:
            return True
        if not is_placed:
            self._read(seconds)
        elif not (self._records or self._fault):
            self._take(self._read(seconds))
        return is_placed and bool(self._records or self._fault)

    def leave(self) -> None:
        """Forget the place and end the consumer."""
        self._position, self._fault, self._records = None, None, []
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def last_record(self) -> Record | None:
        """Return the last record of the topic; raises DamagedRecordError where no relay wrote it."""
        last = self._seeker.last()
        return None if last is None else last.record

    def close(self) -> None:
        self.leave()
        self._seeker.close()

    def _go_to(self, position: int) -> bool:
        """Read on after the commit that ends at a position, or from the commit that contains it.

        False while the topic does not reach the position: then what is read is what comes to its end.
        """
        low, end = self._seeker.bounds()
        place = self._find(position, low, end)
        self._check_last_fault(position, None if place is None else place[0])
        self._position, self._records, self._fault = None, [], None
        offset, self._next = place or (end, 0)
        if self._consumer is None:
            self._consumer = TopicConsumer(self._address, self._topic, fetch_wait_max_ms=FETCH_MILLISECONDS)
        if place is not None or self._consumer.reached != offset:
            self._consumer.seek(offset)
        if place is not None:
            self._position = position
        return place is not None

    def _find(self, position: int, low: int, end: int) -> tuple[int, int] | None:
        """Return offset and position of what comes after a position; None where the topic does not reach it."""
        if position == 0:
            return low, 1
        last = self._seeker.last(lambda it: it.is_readable)
        if last is None or last.record.last < position:
            return None
        if last.record.last > position:
            last = self._seeker.last_where(lambda record: record.last <= position)
        if last is not None:
            return last.offset + 1, last.record.last + 1
        first = self._seeker.first(low, end, lambda it: it.is_readable)
        begins = 1 if first is None else int(first.record.headers.get("ce_commitfirst", position + 1))
        return low, min(begins, position + 1)

    def _read(self, seconds: float, limit: int = AT_ONCE) -> list[Consumed]:
        if self._consumer is None:
            return []
        try:
            return self._consumer.read(seconds, limit)
        except Exception:
            self.leave()
            raise

    def _fill(self, limit: int, *, to_the_end: bool) -> None:
        """Read until `limit` records, or the end; unless told so, not to the end where a whole commit is there."""
        end = None
        deadline = time.monotonic() + kafka.REQUEST_SECONDS
        while self._fault is None and (missing := self._count_missing(limit)) > 0:
            if found := self._read(0, missing):
                self._take(found)
                deadline = time.monotonic() + kafka.REQUEST_SECONDS
                continue
            if self._count_whole(limit) and not to_the_end:
                return
            end = self._seeker.bounds()[1] if end is None else end
            if self._is_at(end):
                return
            if time.monotonic() > deadline:
                self.leave()
                raise no_answer(self._topic)
            self._take(self._read(POLL_SECONDS, missing))

    def _is_at(self, end: int) -> bool:
        """Tell whether all before `end` was read."""
        reached = self._consumer.reached if self._consumer else 0
        if reached > end:
            self._stop(end, None, f"The topic {self._topic} is shorter than it was.")
        elif reached == end and self._records and not self._count_whole(1):
            last = self._records[0].last
            self._stop(end, None, f"The topic {self._topic} ends inside the commit of positions up to {last}.")
        return reached >= end

    def _size_of_first(self) -> int:
        """Return how many records the first commit has; 1 where there is none."""
        return self._records[0].last - self._records[0].position + 1 if self._records else 1

    def _count_missing(self, limit: int) -> int:
        """Return how many more records to read: up to the limit, or to the end of a commit that is longer."""
        return max(limit, self._size_of_first()) - len(self._records)

    def _count_whole(self, limit: int) -> int:
        """Return how many of the records are whole commits within the limit, or the first one."""
        if len(self._records) < self._size_of_first():
            return 0
        count = min(len(self._records), max(limit, self._size_of_first()))
        while self._records[count - 1].position != self._records[count - 1].last:
            count -= 1
        return count

    def _take(self, found: list[Consumed]) -> None:
        for consumed in found:
            if self._fault is not None:
                return
            expected = self._next + len(self._records)
            try:
                self._records.append(self._check(expected, consumed.record))
            except (DamagedRecordError, KeyError) as wrong:
                ours = (self._origin or b"").decode()
                place = f"position {expected} of {ours} at offset {consumed.offset}"
                sentence = f"The topic {self._topic} does not have {place}. {wrong}"
                self._stop(consumed.offset, consumed.message, sentence)

    def _check(self, expected: int, record: Record) -> Record:
        source = record.headers["ce_source"]
        self._origin = self._origin or source
        if record.position != expected or source != self._origin:
            raise DamagedRecordError(f"There is position {record.position} of {source.decode(errors='replace')}.")
        if not 0 <= record.last - record.position < MAX_EVENTS:
            raise DamagedRecordError(f"Its commit cannot end at {record.last}.")
        return record

    def _stop(self, offset: int, message: Message | None, sentence: str) -> None:
        whole = self._count_whole(len(self._records))
        before = self._records[whole - 1].position if whole else self._position
        self._fault = self._last_fault = TopicFault(before, offset, message, DamagedRecordError(sentence))

    def _check_last_fault(self, position: int, offset: int | None) -> None:
        """Raise the fault found after a position if it lies there still and is not met again from `offset` on.

        What is read again is judged again: a client whose topic is made anew under it may have slipped by a record.
        """
        fault = self._last_fault
        if fault is None or fault.position != position or (offset is not None and offset <= fault.offset):
            return
        found = self._seeker.first(fault.offset, fault.offset + 1)
        if fault.message == (found.message if found else None):
            raise fault.error
        self._last_fault = None
