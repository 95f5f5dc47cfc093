"""Calls of strangers are recorded one by one while they are few, then counted; those of clients always one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from anyio import Event, create_task_group, run
from hypothesis import given
from hypothesis import strategies as st

from adapters.audit_log.refused_calls import BURST, EACH_SECONDS, RefusedCalls
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.http.middleware.audit import refused_connection_record
from adapters.serving.limits import NOT_HTTP, TOO_SLOW
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import AuditRecord
from tests.http.asgi import Caller
from tests.http.rig import Rig

STRANGER = refused_connection_record(NOT_HTTP, "10.0.0.1")


class Account:
    """An account with a clock of its own, and the audit log that it fills."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stored = SqliteAuditLog(Database(":memory:"), "backend")
        self.calls = RefusedCalls(self.stored, now=lambda: self.now)

    @property
    def records(self) -> list[AuditRecord]:
        return [it.content for it in self.stored.read(0, 100_000)]


def total(records: list[AuditRecord]) -> int:
    return sum(it.count for it in records)


def test_the_first_are_stored_and_the_others_counted() -> None:
    account = Account()
    for n in range(1000):
        account.calls.append(replace(STRANGER, source=f"10.0.0.{n % 7}", milliseconds=1.0))
    assert len(account.records) == total(account.records) == BURST
    assert not account.calls.is_flush_due
    account.now += EACH_SECONDS
    assert account.calls.is_flush_due
    account.calls.flush()
    last = account.records[-1]
    assert (last.count, last.milliseconds, last.source) == (900, 900.0, "(several)")
    assert (last.outcome, last.problem, last.operation) == ("400", "not-http", "(no request)")
    assert len(account.records) == BURST + 1


def test_each_kind_gets_its_turn() -> None:
    account = Account()
    for problem in (NOT_HTTP, TOO_SLOW) * 300:
        account.calls.append(refused_connection_record(problem, "10.0.0.1"))
    for _ in range(2):
        account.now += EACH_SECONDS
        account.calls.flush()
    assert [(it.problem, it.count) for it in account.records[BURST:]] == [("not-http", 250), ("too-slow", 250)]
    assert {it.source for it in account.records} == {"10.0.0.1"}


def test_at_the_end_nothing_is_left() -> None:
    account = Account()
    for _ in range(500):
        account.calls.append(STRANGER)
    account.calls.finish()
    assert total(account.records) == 500
    account.calls.append(STRANGER)  # of a call that ends later
    assert total(account.records) == 501


@pytest.mark.parametrize("error", [DiskReserveError("full"), NotAbleError("no"), OSError("broken")])
def test_what_cannot_be_stored_is_counted_and_kept(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    account = Account()

    def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(SqliteAuditLog, "append" if isinstance(error, OSError) else "check_able", fail)
        for _ in range(10):
            account.calls.append(STRANGER)
            account.now += EACH_SECONDS
            account.calls.flush()
        assert account.records == []
    account.now += EACH_SECONDS
    account.calls.flush()
    assert [it.count for it in account.records] == [10]


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 60)), max_size=12))
def test_none_is_lost_and_few_are_records(bursts: list[tuple[int, float]]) -> None:
    account = Account()
    for many, seconds in bursts:
        for _ in range(many):
            account.calls.append(STRANGER)
        account.now += seconds
        account.calls.flush()
    assert len(account.records) <= BURST + account.now / EACH_SECONDS
    account.calls.finish()
    assert total(account.records) == sum(many for many, _ in bursts)


def test_unknown_callers_over_the_wire(rig: Rig, ana: Caller) -> None:
    for _ in range(300):
        assert ana.raw(ana.outgoing("GET", "/session"), {}, [b""]).status == 401
    of_strangers = [it.content for it in rig.audit_log.read(0, 10_000)]
    assert len(of_strangers) == BURST
    assert {it.actor for it in of_strangers} == {"(unknown)"}
    for _ in range(150):
        assert ana.get("/session").status == 200
    assert len(rig.audit_log.read(0, 10_000)) == BURST + 150
    rig.backend.refused_calls.finish()
    assert rig.audit_log.read(0, 10_000)[-1].content.count == 200
    assert b'outcome="401",service="session"} 300.0' in ana.raw(ana.outgoing("GET", "/metrics"), {}, [b""]).content


def test_below_the_reserve_queries_go_on(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise DiskReserveError("full")

    monkeypatch.setattr(SqliteAuditLog, "check_able", fail)
    for _ in range(20):
        assert ana.raw(ana.outgoing("GET", "/session"), {}, [b""]).status == 401
        assert ana.get("/session").status == 200
        assert ana.post("/trainings", {"dataset": "iris", "model": "svm"}).status == 507
    assert {it.content.actor for it in rig.audit_log.read(0, 1000)} == {"ana"}


def test_at_an_orderly_end_the_application_stores_what_it_counted(rig: Rig) -> None:
    async def life() -> None:
        begun, stop, told = Event(), Event(), list[str]()

        async def receive() -> Any:
            if not begun.is_set():
                begun.set()
                return {"type": "lifespan.startup"}
            await stop.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Any) -> None:
            told.append(message["type"])
            if message["type"] == "lifespan.startup.complete":
                for _ in range(5):
                    rig.app.refuse_connection(NOT_HTTP, "10.0.0.1")
                stop.set()

        async with create_task_group() as group:
            group.start_soon(rig.app, {"type": "lifespan", "state": {}}, receive, send)
        assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    run(life)
    assert [it.content.count for it in rig.audit_log.read(0, 10)] == [5]
