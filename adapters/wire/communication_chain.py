"""The hash chains of the communications: one per writing process, so that processes need not wait for each other.

`h(n) = SHA-256(h(n-1) ‖ record n)` with `h(0)` = 32 zero bytes; a record is hashed as length-prefixed fields (see
`framing`): position, time in microseconds, writer, number, then the communication's fields in order, as UTF-8 text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from operator import attrgetter

from adapters.wire.framing import framed, framed_number
from adapters.wire.moments import from_microseconds, to_microseconds
from projections.ports import Archived, Communication

GENESIS = bytes(32)

facts_of = attrgetter(*(field.name for field in fields(Communication)))


def communication_hash(
    previous: bytes, *, position: int, at: int, writer: str, number: int, communication: Communication
) -> bytes:
    """Return the hash of a record from that of its writer's record before; `at` in microseconds."""
    place = framed(framed_number(position), framed_number(at), writer.encode(), framed_number(number))
    facts = framed(*[str(fact).encode() for fact in facts_of(communication)])
    return sha256(previous + place + facts).digest()


def normal(communication: Communication) -> Communication:
    """Return the communication with numbers as they come back from a store, so that its hash stays true."""
    return replace(communication, milliseconds=float(communication.milliseconds))


@dataclass(frozen=True, slots=True)
class Ends:
    """Where an archive ends for a writer: its last position and time (microseconds), the writer's number and hash."""

    position: int = 0
    at: int = 0
    number: int = 0
    hash: bytes = GENESIS


def following(ends: Ends, writer: str, communication: Communication, now: int) -> tuple[Archived, Ends]:
    """Return the writer's next record and where the archive ends then; times never go back, whatever `now` says."""
    position, at, number = ends.position + 1, max(now, ends.at), ends.number + 1
    found = communication_hash(
        ends.hash, position=position, at=at, writer=writer, number=number, communication=communication
    )
    record = Archived(position, from_microseconds(at), writer, number, ends.hash, found, communication)
    return record, Ends(position, at, number, found)


class Chains:
    """Follows records in the order of their positions, each in the chain of its writer, from the first on."""

    def __init__(self) -> None:
        self._position = 0
        self._ends: dict[str, tuple[int, bytes]] = {}

    def fault(self, record: Archived) -> str | None:
        """Say what is wrong with the next record; the one after is judged by what this one has stored."""
        what = _fault(record, self._position, *self._ends.get(record.writer, (0, GENESIS)))
        self._position = record.position
        self._ends[record.writer] = (record.number, record.hash)
        return what


def chain_faults(records: Iterable[Archived]) -> Iterator[tuple[int, str]]:
    """Yield (position, what is wrong) of all records, from the first on; one change makes one fault."""
    chains = Chains()
    for record in records:
        what = chains.fault(record)
        if what:
            yield record.position, what


def _fault(record: Archived, position: int, number: int, previous: bytes) -> str | None:
    if record.faults:
        return "; ".join(record.faults)
    if record.position != position + 1:
        return f"records {position + 1} to {record.position - 1} are missing"
    if record.number != number + 1 or record.previous != previous:
        return f"the record does not follow record {number} of writer {record.writer}"
    try:
        expected = communication_hash(
            previous,
            position=record.position,
            at=to_microseconds(record.at),
            writer=record.writer,
            number=record.number,
            communication=record.communication,
        )
    except (AttributeError, OverflowError, TypeError, UnicodeError):
        return "the record holds values that nobody could have stored"
    return None if record.hash == expected else "the stored record does not have the stored hash"
