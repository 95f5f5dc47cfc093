"""The chains of the communications: one per writer, and every change, loss or exchange of a record is found."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.wire.communication_chain import GENESIS, chain_faults, communication_hash
from adapters.wire.moments import to_microseconds
from projections.ports import Archived, Communication

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = Communication(
    kind="call",
    actor="ana",
    source="cli",
    target="training",
    operation="POST /trainings",
    outcome="201",
    problem="",
    milliseconds=12.5,
    bytes_in=120,
    bytes_out=800,
    correlation="c",
    causation="",
    domain_position=7,
    digest_in="aa",
    digest_out="bb",
)


def archive(*writers: str) -> list[Archived]:
    """Return a true archive of records by these writers."""
    ends: dict[str, tuple[int, bytes]] = {}
    records = []
    for position, writer in enumerate(writers, 1):
        number, previous = ends.get(writer, (0, GENESIS))
        record_hash = communication_hash(
            previous, position=position, at=to_microseconds(AT), writer=writer, number=number + 1, communication=CALL
        )
        records.append(Archived(position, AT, writer, number + 1, previous, record_hash, CALL))
        ends[writer] = number + 1, record_hash
    return records


def positions(records: list[Archived]) -> list[int]:
    return [position for position, _ in chain_faults(records)]


def test_interleaved_writers_have_no_fault() -> None:
    assert positions(archive("a", "b", "a", "a", "b")) == []


@pytest.mark.parametrize("field", [field.name for field in fields(Communication)])
def test_every_changed_fact_is_found(field: str) -> None:
    records = archive("a", "a", "b", "a")
    changed: object = "changed" if isinstance(getattr(CALL, field), str) else 99
    communication = replace(CALL, **{field: changed})  # type: ignore[arg-type] # a fact of either type
    records[1] = replace(records[1], communication=communication)
    assert positions(records) == [2]


def test_what_was_never_written_so_is_a_fault_whatever_the_hash_says() -> None:
    records = archive("a", "a")
    records[1] = replace(records[1], faults=("its actor is a blob",))
    assert list(chain_faults(records)) == [(2, "its actor is a blob")]


def test_a_changed_time_is_found() -> None:
    records = archive("a", "a")
    records[0] = replace(records[0], at=AT + timedelta(microseconds=1))
    assert positions(records) == [1]


def test_a_lost_record_is_found_once() -> None:
    records = archive("a", "a", "a")
    del records[1]
    assert positions(records) == [3]


def test_a_record_given_to_another_writer_is_found() -> None:
    records = archive("a", "b", "a")
    records[0] = replace(records[0], writer="b")
    assert positions(records) == [1, 2, 3]


def test_damaged_values_are_a_fault_and_no_crash() -> None:
    records = archive("a", "a")
    records[0] = replace(records[0], number=2**70)
    records[1] = replace(records[1], communication=replace(CALL, actor="\ud800"))
    assert positions(records) == [1, 2]
