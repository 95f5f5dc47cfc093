"""The chain of the audit log: every change, loss or exchange of a record is found; older records may stand first."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from adapters.audit_log.chain import ADDED, chain_faults, has_its_hash, record_after
from adapters.log.chain import LastEntry, framed, framed_number
from adapters.log.times import to_microseconds
from projections.ports import GENESIS, AuditRecord, StoredAuditRecord
from tests.audit_records import CALL as A_CALL

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = replace(A_CALL, correlation="c", digest_in="aa", digest_out="bb", head="cc")
OLDER_CALL = replace(CALL, head="")


def chained(*writers: str, after: list[StoredAuditRecord] | None = None) -> list[StoredAuditRecord]:
    """Return a true audit log of records by these writers, behind others."""
    records = list(after or [])
    for writer in writers:
        last = LastEntry.of(records[-1]) if records else LastEntry()
        number = sum(record.writer == writer for record in records) + 1
        records.append(record_after(last, writer, number, CALL, to_microseconds(AT)))
    return records


def older_audit_log(*writers: str, call: AuditRecord = OLDER_CALL) -> list[StoredAuditRecord]:
    """Return what an older version stored: each writer's records chained on their own, hashed without later fields."""
    ends: dict[str, tuple[int, bytes]] = {}
    records = []
    for position, writer in enumerate(writers, 1):
        number, previous = ends.get(writer, (0, GENESIS))
        place = framed(
            framed_number(position), framed_number(to_microseconds(AT)), writer.encode(), framed_number(number + 1)
        )
        names = [it.name for it in fields(AuditRecord) if it.name not in ADDED]
        facts = framed(*[str(getattr(call, name)).encode() for name in names])
        found = sha256(previous + place + facts).digest()
        records.append(StoredAuditRecord(position, AT, writer, number + 1, previous, found, call))
        ends[writer] = number + 1, found
    return records


def positions(records: list[StoredAuditRecord]) -> list[int]:
    return [position for position, _ in chain_faults(records)]


def test_interleaved_writers_have_no_fault() -> None:
    assert positions(chained("a", "b", "a", "a", "b")) == []


@pytest.mark.parametrize("field", [field.name for field in fields(AuditRecord)])
def test_every_changed_fact_is_found(field: str) -> None:
    records = chained("a", "a", "b", "a")
    changed: object = "changed" if isinstance(getattr(CALL, field), str) else 99
    record = replace(CALL, **{field: changed})  # type: ignore[arg-type] # a fact of either type
    records[1] = replace(records[1], content=record)
    assert positions(records) == [2]


def test_what_was_never_written_so_is_a_fault_whatever_the_hash_says() -> None:
    records = chained("a", "a")
    records[1] = replace(records[1], faults=("its actor is a blob",))
    assert list(chain_faults(records)) == [(2, "its actor is a blob")]


def test_a_changed_time_is_found() -> None:
    records = chained("a", "a")
    records[0] = replace(records[0], at=AT + timedelta(microseconds=1))
    assert positions(records) == [1]


def test_a_lost_record_is_found_once() -> None:
    records = chained("a", "a", "a")
    del records[1]
    assert positions(records) == [3]


def test_a_record_given_to_another_writer_is_found() -> None:
    records = chained("a", "b", "a")
    records[0] = replace(records[0], writer="b")
    assert positions(records) == [1, 2, 3]


def test_records_of_two_writers_that_changed_places_are_found() -> None:
    one, two, three = chained("a", "b", "c")
    assert positions([one, replace(three, position=2), replace(two, position=3)]) == [2, 3]


def test_the_last_record_of_a_writer_cannot_be_replaced_by_one_with_a_hash_of_its_own() -> None:
    records = chained("a", "b", "a")
    forged = record_after(LastEntry(1, 0, records[0].hash), "b", 1, replace(CALL, actor="eve"), to_microseconds(AT))
    assert positions([records[0], forged, records[2]]) == [3]


def test_records_of_an_older_version_stand_before_all_others() -> None:
    older = older_audit_log("a", "b", "a")
    assert positions(older) == []
    assert all(map(has_its_hash, older))
    assert positions(chained("c", "d", "c", after=older)) == []


def test_a_record_of_an_older_version_is_not_accepted_behind_a_newer_one() -> None:
    older = older_audit_log("a", "b", "a")
    mixed = [*chained("x"), *(replace(it, position=it.position + 1) for it in older)]
    assert positions(mixed) == [2, 3, 4]
    assert positions([*chained("x"), older[1]]) == [2]


@pytest.mark.parametrize("change", [{"count": 2}, {"head": "dd"}, {"actor": "eve"}])
def test_a_changed_record_of_an_older_version_is_found(change: dict[str, object]) -> None:
    records = chained("c", after=older_audit_log("a", "b", "a"))
    records[1] = replace(records[1], content=replace(OLDER_CALL, **change))  # type: ignore[arg-type] # a fact of either type
    assert positions(records) == [2]


def test_damaged_values_are_a_fault_and_no_crash() -> None:
    records = chained("a", "a")
    records[0] = replace(records[0], number=2**70)
    records[1] = replace(records[1], content=replace(CALL, actor="\ud800"))
    assert positions(records) == [1, 2]
