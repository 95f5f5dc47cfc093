"""The hash chain of the audit log, of the same kind as that of the event log (`adapters/log/chain.py`).

A record is hashed as length-prefixed fields: position, time in microseconds, writer, number, then the audit record's
fields in order, as UTF-8 text. Older versions hashed no `count` and no `head`, and chained each writer's records on
their own: such records may only stand before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from adapters.log.chain import LastEntry, faults_along, framed, framed_number
from adapters.log.times import from_microseconds, to_microseconds
from projections.ports import GENESIS, AuditRecord, StoredAuditRecord

ADDED: Final = ("count", "head")  # the fields that older versions did not have

UNWRITABLE: Final = (AttributeError, OverflowError, TypeError, UnicodeError)  # what such values do to a hash

Facts = Callable[[AuditRecord], tuple[Any, ...]]

facts_of: Final[Facts] = attrgetter(*(field.name for field in fields(AuditRecord)))
_older_facts: Final[Facts] = attrgetter(*(field.name for field in fields(AuditRecord) if field.name not in ADDED))


def record_hash(
    previous: bytes,
    *,
    position: int,
    at: int,
    writer: str,
    number: int,
    record: AuditRecord,
    facts: Facts = facts_of,
) -> bytes:
    """Return the hash of a record from that of the record before; `at` in microseconds."""
    place = framed(framed_number(position), framed_number(at), writer.encode(), framed_number(number))
    content = framed(*[str(fact).encode() for fact in facts(record)])
    return sha256(previous + place + content).digest()


def record_after(last: LastEntry, writer: str, number: int, record: AuditRecord, now: int) -> StoredAuditRecord:
    """Return the writer's record of this number, after the last entry; times never go back, whatever `now` says."""
    position, at = last.position + 1, max(now, last.at)
    found = record_hash(last.hash, position=position, at=at, writer=writer, number=number, record=record)
    return StoredAuditRecord(position, from_microseconds(at), writer, number, last.hash, found, record)


def has_its_hash(record: StoredAuditRecord) -> bool:
    """Tell whether the record holds what its hash was made of, in this version or an older one."""
    return record.hash in (_hash(record, record.previous), _older_hash(record, record.previous))


def is_older(record: StoredAuditRecord) -> bool:
    try:
        return record.hash == _older_hash(record, record.previous)
    except UNWRITABLE:
        return False


class RecordLinks:
    """Follows records that are added to a copy: each has its hash and follows the one before.

    It knows no writers' numbers, so it can begin anywhere; `RecordChain` checks the whole copy afterwards.
    """

    def __init__(self, position: int, previous: bytes) -> None:
        self._position, self._hash = position, previous

    def fault(self, record: StoredAuditRecord) -> str | None:
        try:
            what = self._fault(record)
        except UNWRITABLE:
            what = "the record holds values that nobody could have stored"
        self._position, self._hash = record.position, record.hash
        return what

    def _fault(self, record: StoredAuditRecord) -> str | None:
        if record.faults:
            return "; ".join(record.faults)
        if record.position != self._position + 1:
            return f"records {self._position + 1} to {record.position - 1} are missing"
        return self._link_fault(record)

    def _link_fault(self, record: StoredAuditRecord) -> str | None:
        if not has_its_hash(record):
            return "the stored record does not have the stored hash"
        if record.previous != self._hash and not is_older(record):
            return "the record does not follow the one before it"
        return None


class RecordChain(RecordLinks):
    """Follows the whole log: besides, the numbers of each writer's records have no holes."""

    def __init__(self) -> None:
        super().__init__(0, GENESIS)
        self._numbers: dict[str, int] = {}
        self._older: dict[str, bytes] | None = {}  # the last hash of each writer; None: no older record may come now

    def fault(self, record: StoredAuditRecord) -> str | None:
        what = super().fault(record)
        self._numbers[record.writer] = record.number
        if self._older is not None:
            self._older[record.writer] = record.hash
        return what

    def _link_fault(self, record: StoredAuditRecord) -> str | None:
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

    def _is_older(self, record: StoredAuditRecord) -> bool:
        if self._older is None or record.previous != self._older.get(record.writer, GENESIS):
            return False
        return record.hash == _older_hash(record, record.previous)


def chain_faults(records: Iterable[StoredAuditRecord]) -> Iterator[tuple[int, str]]:
    return faults_along(RecordChain(), records)


def _hash(record: StoredAuditRecord, previous: bytes, facts: Facts = facts_of) -> bytes:
    return record_hash(
        previous,
        position=record.position,
        at=to_microseconds(record.at),
        writer=record.writer,
        number=record.number,
        record=record.content,
        facts=facts,
    )


def _older_hash(record: StoredAuditRecord, previous: bytes) -> bytes | None:
    it = record.content
    return _hash(record, previous, _older_facts) if (it.count, it.head) == (1, "") else None
