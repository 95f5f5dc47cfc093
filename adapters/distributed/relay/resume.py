"""Where a relay resumes, and whether it may: the topic must be a beginning of exactly what MongoDB holds."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from adapters.distributed.relay.source import LogSource, RelayEntry
from adapters.distributed.topics.cloud_events import DamagedRecordError
from adapters.distributed.topics.consumer import Consumed
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.topics.seek import TopicSeeker
from domain.errors import NotAbleError

REFILL = "It can be filled again from MongoDB: docs/operations.md, 'A damaged topic', says what must be proven before."
RECOVER = "If MongoDB was lost or is an old back-up, `autolearn recover --from-kafka` brings it back from the topics."
OTHER = "If the topic belongs to another installation, choose another AUTOLEARN_DATABASE."


class Checkpoint(NamedTuple):
    """Before this offset of a topic is everything up to this position, and nothing else."""

    offset: int
    position: int


class TopicCheck:
    """The check of a topic at the start of a relay; what it finds holds once the relay before was fenced.

    It reads what comes after `known`, the checkpoint of an earlier relay; without one the last entry alone.
    """

    def __init__(
        self, seeker: TopicSeeker, topic: str, source: LogSource[Any], known: Checkpoint | None = None
    ) -> None:
        self._seeker, self._topic, self._source, self._known = seeker, topic, source, known

    def await_settled(self) -> None:
        """Wait until no transaction is open; NotAbleError: what another program's has could be ours, sent before."""
        end = self._seeker.written_end()
        try:
            self._seeker.wait_for_end(end)
        except NotAbleError as unsettled:
            raise NotAbleError(f"A foreign transaction is open on the topic {self._topic}.") from unsettled

    def checkpoint(self) -> Checkpoint:
        """Return where the topic ends; raises DamagedTopic."""
        low, end = self._seeker.bounds()
        first, last = self._seeker.first(low, end), self._seeker.last()
        if first is None or last is None:
            if low > 0:
                self._refuse(f"has lost its records (it begins at offset {low}). {REFILL}")
            return Checkpoint(end, 0)
        begins = self._position(first)
        if begins != 1:
            self._refuse(f"begins with position {begins}, not 1: records were removed. {REFILL}")
        self._check_order(self._read_from(low, last, self._check(last)), last)
        return Checkpoint(last.offset + 1, last.record.position)

    def _read_from(self, low: int, last: Consumed, entry: RelayEntry) -> Checkpoint:
        """Return from where to read: the known checkpoint, unless the topic lost what was there."""
        known = self._known
        if known is not None and known.offset <= last.offset + 1 and known.position <= entry.position:
            return known
        before = self._seeker.last(lambda it: it.offset < last.offset and not _is_within(it, entry))
        return Checkpoint(low, 0) if before is None else Checkpoint(before.offset + 1, self._position(before))

    def _check_order(self, start: Checkpoint, last: Consumed) -> None:
        order = Order(start.position)
        wrong = self._seeker.first(start.offset, last.offset + 1, order.is_broken_by)
        if wrong is not None:
            raise DamagedTopic(
                f"Somebody else wrote to the topic {self._topic}: at offset {wrong.offset} is not position "
                f"{order.position}. Take away their right to write. {REFILL}"
            )
        if order.position != last.record.position:
            self._refuse(f"lacks what is before position {last.record.position}. {REFILL}")

    def _position(self, found: Consumed) -> int:
        try:
            return found.record.position
        except DamagedRecordError as wrong:
            self._refuse(f"has a record at offset {found.offset} that no relay wrote. {wrong} {REFILL} {OTHER}")

    def _check(self, last: Consumed) -> RelayEntry:
        """Return the entry that it is the end of, as it is stored."""
        position = self._position(last)
        record = last.record
        origin = record.headers.get("ce_source", b"").decode(errors="replace")
        if origin != self._source.origin:
            self._refuse(f"ends with a record of {origin}, this is {self._source.origin}. {OTHER} {RECOVER}")
        if record.last != position:
            self._refuse(f"ends at position {position}, inside a commit that ends at {record.last}. {REFILL}")
        stored = next(iter(self._source.after(position - 1, 1)), None)
        if stored is None:
            self._refuse(f"ends at position {position}, beyond what MongoDB holds. {RECOVER}")
        try:
            same = (stored.position, stored.hash) == (position, self._source.hash_of(record))
        except DamagedRecordError as wrong:
            self._refuse(f"ends with a damaged record. {wrong} {REFILL}")
        if not same:
            self._refuse(f"has another history than MongoDB: position {position} has another hash. {RECOVER} {REFILL}")
        return stored

    def _refuse(self, sentence: str) -> NoReturn:
        raise DamagedTopic(f"The topic {self._topic} {sentence}")


class Order:
    """Follows records that should have one position after the other; `position` is that of the last one."""

    def __init__(self, position: int) -> None:
        self.position = position

    def is_broken_by(self, found: Consumed) -> bool:
        self.position += 1
        return not found.is_readable or found.record.position != self.position


def _is_within(found: Consumed, entry: RelayEntry) -> bool:
    """Tell whether it is of the entry, or a copy of a part of it."""
    return found.is_readable and found.record.position >= entry.first
