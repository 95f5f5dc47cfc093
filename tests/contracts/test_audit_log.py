"""What every audit log does: durable records in order and in one chain, found by filters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.audit_log.chain import chain_faults
from adapters.log.times import from_microseconds
from domain.errors import BadInputError
from projections.ports import GENESIS, AuditLog, StoredAuditRecord
from tests.audit_records import CALL as A_CALL
from tests.contracts.conftest import OpenAuditLog

CALL = replace(A_CALL, count=3, head="cc" * 32)
BOBS = replace(CALL, actor="bob", correlation="c2", outcome="404", problem="not-found", operation="GET /session")
MESSAGE = replace(CALL, kind="message", correlation="c1", causation="e1", outcome="handled", milliseconds=3)


def positions(records: list[StoredAuditRecord]) -> list[int]:
    return [record.position for record in records]


def test_an_empty_audit_log(audit_log: AuditLog) -> None:
    assert audit_log.recent(0) == []
    assert audit_log.page({}, None, 10) == []
    assert audit_log.read(0, 10) == []
    assert audit_log.wait_beyond(0, 0.01) is False
    audit_log.check_able()


def test_a_record_comes_back_as_it_was_recorded(audit_log: AuditLog) -> None:
    one, two = audit_log.append(CALL), audit_log.append(MESSAGE)
    assert (one.position, one.writer, one.number, one.previous, one.content) == (1, "w1", 1, GENESIS, CALL)
    assert (two.position, two.number, two.previous, two.content) == (2, 2, one.hash, MESSAGE)
    assert audit_log.read(0, 10) == [one, two]
    assert audit_log.recent(0) == [one, two]
    assert audit_log.read(1, 10) == audit_log.recent(1) == [two]
    assert audit_log.read(0, 1) == [one]


def test_pages_are_newest_first_and_filtered(audit_log: AuditLog) -> None:
    for record in (CALL, BOBS, MESSAGE, BOBS):
        audit_log.append(record)
    expected: list[tuple[dict[str, str], list[int]]] = [
        ({}, [4, 3, 2, 1]),
        ({"correlation": "c1"}, [3, 1]),
        ({"actor": "bob"}, [4, 2]),
        ({"operation": "GET /session"}, [4, 2]),
        ({"outcome": "404"}, [4, 2]),
        ({"kind": "message"}, [3]),
        ({"kind": "call", "actor": "ana"}, [1]),
        ({"actor": "' OR 1=1 --"}, []),
    ]
    assert [(filters, positions(audit_log.page(filters, None, 10))) for filters, _ in expected] == expected
    assert positions(audit_log.page({"actor": "bob"}, 4, 10)) == [2]
    assert positions(audit_log.page({}, 4, 2)) == [3, 2]


def test_pages_by_time_are_inclusive(open_audit_log: OpenAuditLog) -> None:
    clock = iter([10, 20, 20, 15, 30])
    audit_log = open_audit_log(now=lambda: next(clock))
    for _ in range(5):
        audit_log.append(CALL)
    at_20 = from_microseconds(20).isoformat()
    assert positions(audit_log.page({"since": at_20}, None, 10)) == [5, 4, 3, 2]
    assert positions(audit_log.page({"until": at_20}, None, 10)) == [4, 3, 2, 1]
    assert positions(audit_log.page({"since": at_20, "until": at_20, "actor": "ana"}, None, 10)) == [4, 3, 2]
    assert positions(audit_log.page({"since": "2999-01-01T00:00:00+01:00"}, None, 10)) == []


@pytest.mark.parametrize(
    ("filters", "what"),
    [
        ({"colour": "red"}, "no filter 'colour'"),
        ({"since": "yesterday"}, "ISO 8601"),
        ({"until": "2026-01-01T00:00"}, "zone"),
    ],
)
def test_bad_filters_are_named(audit_log: AuditLog, filters: dict[str, str], what: str) -> None:
    with pytest.raises(BadInputError, match=what):
        audit_log.page(filters, None, 10)


def test_the_ring_holds_the_last_thousand(audit_log: AuditLog) -> None:
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(audit_log.append, [CALL] * 1010))
    assert positions(list(audit_log.recent(0))) == list(range(11, 1011))
    assert positions(audit_log.read(0, 2000)) == list(range(1, 1011))
    assert list(chain_faults(audit_log.read(0, 2000))) == []


def test_writers_share_one_chain_and_count_their_own_records(open_audit_log: OpenAuditLog) -> None:
    one, other = open_audit_log("w1"), open_audit_log("w2")
    records = [writer.append(CALL) for writer in (one, other, one, open_audit_log("w1"), open_audit_log("w2"))]
    assert [(r.position, r.writer, r.number) for r in records] == [
        (1, "w1", 1),
        (2, "w2", 1),
        (3, "w1", 2),
        (4, "w1", 3),
        (5, "w2", 2),
    ]
    assert [r.previous for r in records] == [GENESIS, *(r.hash for r in records[:-1])]
    assert list(chain_faults(one.read(0, 10))) == []
    assert list(open_audit_log("w3").recent(0)) == records


def test_a_waiting_reader_is_woken(audit_log: AuditLog) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(audit_log.wait_beyond, 0, 30)
        audit_log.append(CALL)
        assert waiting.result() is True
