"""The hash chain of the audit log, as that of commits: every record's hash covers that of the record before it.

`h(n) = SHA-256(h(n-1) ‖ record n)` with `h(0)` = 32 zero bytes; a record is hashed as length-prefixed fields (see
`framing`): position, time in microseconds, writer, number, then the communication's fields in order, as UTF-8 text.
Older versions hashed no `count` and no `head`, and chained each writer's records on their own: such records may only
stand before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from adapters.audit_log.limits import limited
from adapters.log.framing import framed, framed_number
from adapters.log.times import from_microseconds, to_microseconds
from projections.ports import Archived, Communication

GENESIS: Final = bytes(32)
ADDED: Final = ("count", "head")  # the fields that older versions did not have

UNWRITABLE: Final = (AttributeError, OverflowError, TypeError, UnicodeError)  # what such values do to a hash

Facts = Callable[[Communication], tuple[Any, ...]]

facts_of: Final[Facts] = attrgetter(*(field.name for field in fields(Communication)))
_older_facts: Final[Facts] = attrgetter(*(field.name for field in fields(Communication) if field.name not in ADDED))


def communication_hash(
    previous: bytes,
    *,
    position: int,
    at: int,
    writer: str,
    number: int,
    communication: Communication,
    facts: Facts = facts_of,
) -> bytes:
    """Return the hash of a record from that of the record before; `at` in microseconds."""
    place = framed(framed_number(position), framed_number(at), writer.encode(), framed_number(number))
    told = framed(*[str(fact).encode() for fact in facts(communication)])
    return sha256(previous + place + told).digest()


def normal(communication: Communication) -> Communication:
    """Return the communication as it comes back from a store, so that its hash stays true: within its limits."""
    return limited(communication)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the audit log ends: its last position, time (microseconds) and hash; and a writer's own last number."""

    position: int = 0
    at: int = 0
    hash: bytes = GENESIS
    number: int = 0


def following(ends: Ends, writer: str, communication: Communication, now: int) -> tuple[Archived, Ends]:
    """Return the writer's next record and where the audit log ends then; times never go back, whatever `now` says."""
    position, at, number = ends.position + 1, max(now, ends.at), ends.number + 1
    found = communication_hash(
        ends.hash, position=position, at=at, writer=writer, number=number, communication=communication
    )
    record = Archived(position, from_microseconds(at), writer, number, ends.hash, found, communication)
    return record, Ends(position, at, found, number)


def has_its_hash(record: Archived) -> bool:
    """Whether the record holds what its hash was made of, in this version or an older one."""
    return record.hash in (_hash(record, record.previous), _older_hash(record, record.previous))


def is_older(record: Archived) -> bool:
    """Whether an older version made the record."""
    try:
        return record.hash == _older_hash(record, record.previous)
    except UNWRITABLE:
        return False


class Chain:
    """Follows records in the order of their positions, from the first on."""

    def __init__(self) -> None:
        self._position, self._hash = 0, GENESIS
        self._numbers: dict[str, int] = {}
        self._older: dict[str, bytes] | None = {}  # the last hash of each writer; None: no older record may come now

    def fault(self, record: Archived) -> str | None:
        """Say what is wrong with the next record; the one after is judged by what this one has stored."""
        try:
            what = self._fault(record)
        except UNWRITABLE:
            what = "the record holds values that nobody could have stored"
        self._position, self._hash = record.position, record.hash
        self._numbers[record.writer] = record.number
        if self._older is not None:
            self._older[record.writer] = record.hash
        return what

    def _fault(self, record: Archived) -> str | None:
        if record.faults:
            return "; ".join(record.faults)
        if record.position != self._position + 1:
            return f"records {self._position + 1} to {record.position - 1} are missing"
        number = self._numbers.get(record.writer, 0)
        if record.number != number + 1:
            return f"the record does not follow record {number} of writer {record.writer}"
        if self._is_older(record):
            return None
        is_true = record.hash == _hash(record, record.previous)
        if is_true:
            self._older = None
        if record.previous != self._hash:
            return "the record does not follow the one before it"
        return None if is_true else "the stored record does not have the stored hash"

    def _is_older(self, record: Archived) -> bool:
        if self._older is None or record.previous != self._older.get(record.writer, GENESIS):
            return False
        return record.hash == _older_hash(record, record.previous)


def chain_faults(records: Iterable[Archived]) -> Iterator[tuple[int, str]]:
    """Yield (position, what is wrong) of all records, from the first on; one change makes one fault."""
    chain = Chain()
    for record in records:
        what = chain.fault(record)
        if what:
            yield record.position, what


def _hash(record: Archived, previous: bytes, facts: Facts = facts_of) -> bytes:
    return communication_hash(
        previous,
        position=record.position,
        at=to_microseconds(record.at),
        writer=record.writer,
        number=record.number,
        communication=record.communication,
        facts=facts,
    )


def _older_hash(record: Archived, previous: bytes) -> bytes | None:
    it = record.communication
    return _hash(record, previous, _older_facts) if (it.count, it.head) == (1, "") else None
