"""The audit log of several processes: what one has in flight no other calls lost, and a cut or emptied one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest

from adapters.audit_log.chain import chain_faults, is_older
from adapters.audit_log.in_flight_calls import InFlightCalls
from adapters.audit_log.lost_calls import LostCallRecorder
from adapters.audit_log.system_records import SystemRecorder
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.membership import Membership
from adapters.distributed.mongo import Mongo
from commands.ports import AppendHeader
from domain.events import Metadata
from projections.verification.audit_check import AuditCheck
from projections.verification.log_check import LogHashes
from tests.contracts.events import events
from tests.distributed.life import call

SECONDS = 0.8  # of a lease: heart-beats come soon


class Process:
    """One of several: it appends, records its calls, and looks for calls of dead processes."""

    def __init__(self, uri: str, database: str, name: str) -> None:
        self.mongo = Mongo(uri, database)
        self.name, self.calls = name, InFlightCalls()
        self.store, self.feed = MongoEventStore(self.mongo), MongoFeed(self.mongo)
        self.audit_log = MongoAuditLog(self.mongo, name)
        self.membership = Membership(self.mongo, name, SECONDS, self.calls.correlations, "serve")
        self.membership.start()

    def append(self, correlation: str) -> dict[str, Any]:
        """Begin a call and append; return what its record says of the log."""
        self.calls.enter(correlation)
        header = AppendHeader(uuid4(), uuid4(), Metadata(actor="ana", correlation=correlation))
        appended = self.store.append(events(f"stream-{correlation}", 1, 2), header)
        return {"domain_position": appended.position, "head": appended.hash.hex(), "correlation": correlation}

    def record(self, facts: dict[str, Any]) -> None:
        """End a call."""
        self.audit_log.append(call(0, **facts))
        self.calls.leave(facts["correlation"])

    def settle(self) -> None:
        """Look for commits that have no record."""

        def in_flight(ending: Event) -> list[str]:
            return [*self.calls.correlations(), *self.membership.in_flight_elsewhere(10 * SECONDS, ending)]

        recorder = SystemRecorder(self.audit_log, self.name, "key")
        LostCallRecorder(self.store, self.feed, self.audit_log, recorder, in_flight).record()

    def faults(self) -> list[str]:
        """Return what is wrong with the audit log, calls without a record that must have one included."""
        check, answered = AuditCheck(self.audit_log, chain_faults, is_older, LogHashes(self.feed)), set[str]()
        list(check.run(answered.update))
        called = {it.event.metadata.correlation: it.commit for it in self.feed.after(0, 10**6)}
        missing = [name for name, at in called.items() if name not in answered and check.needs_record(at)]
        return [what for _, what in check.faults] + missing

    def close(self) -> None:
        """End in order."""
        self.membership.stop()
        self.mongo.close()


@pytest.fixture
def processes(mongodb: str, mongo: Mongo) -> Iterator[list[Process]]:
    with ExitStack() as opened:
        started = [Process(mongodb, mongo.name, f"serve-session-{n}") for n in range(3)]
        for process in started:
            opened.callback(process.close)
        yield started


def test_what_another_process_has_in_flight_is_not_lost(processes: list[Process]) -> None:
    one, other, _ = processes
    one.record(one.append("a"))
    under_way = one.append("b")
    other.settle()
    assert not [it for it in other.audit_log.read(0, 100) if it.content.operation == "call lost"]
    one.record(under_way)
    other.settle()
    assert other.faults() == []
    assert not [it for it in other.audit_log.read(0, 100) if it.content.operation == "call lost"]


CHANGES: dict[str, Callable[[Any, list[int]], object]] = {
    "emptied": lambda records, _: records.delete_many({}),
    "cut, but for the end": lambda records, ids: records.delete_many({"_id": {"$lt": ids[-1]}}),
    "without the middle": lambda records, ids: records.delete_one({"_id": ids[len(ids) // 2]}),
    "without the first": lambda records, ids: records.delete_one({"_id": ids[0]}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_audit_log_of_several_writers_that_lost_records_is_reported(processes: list[Process], what: str) -> None:
    def work(process: Process) -> None:
        for number in range(5):
            process.record(process.append(f"{process.name}-{number}"))

    writers = [Thread(target=work, args=(process,)) for process in processes]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    processes[0].settle()
    assert processes[1].faults() == []
    records = processes[0].mongo.collection("communications")
    CHANGES[what](records, [it["_id"] for it in records.find({}, {"_id": 1}, sort=[("_id", 1)])])
    assert processes[1].faults()


def test_a_call_of_a_process_that_died_gets_a_record_by_another_one(processes: list[Process]) -> None:
    dead, other, _ = processes
    dead.append("lost")
    dead.membership.stop()  # as when its lease has run out
    other.settle()
    lost = [it.content for it in other.audit_log.read(0, 100) if it.content.operation == "call lost"]
    assert [it.correlation for it in lost] == ["lost"]
    assert other.faults() == []
