"""Audit log and log together, in both modes: what was cut, emptied, mixed or rewritten is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from adapters.audit_log.chain import chain_faults, is_older, record_after
from adapters.audit_log.lost_calls import LostCallRecorder
from adapters.audit_log.system_records import SystemRecorder
from adapters.distributed.audit_log.record_schema import to_document
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.embedded.audit_log.record_schema import INSERT, to_row
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import LastEntry
from adapters.log.times import to_microseconds
from commands.ports import AppendHeader, EventStore
from domain.events import Metadata
from domain.loss import LOSSES, LostTail, TailLossAccepted
from projections.ports import AuditLog, Feed, StoredAuditRecord
from projections.verification.audit_check import NO_RECORDED_CALLS, AuditCheck, RecordedCalls
from projections.verification.log_check import LogHashes
from tests.contracts.events import events, header
from tests.contracts.test_audit_log import CALL
from tests.wire.test_audit_chain import older_audit_log

TIMEOUT = 30.0


@dataclass
class Installation:
    """A log and its audit log; `replace_records` changes the latter behind its back."""

    store: EventStore
    feed: Feed
    audit_log: AuditLog
    in_flight: set[str] = field(default_factory=set)

    def call(self, name: str, *, stored: bool = True) -> None:
        """Append in a call, which is recorded, or whose process dies before that."""
        metadata = Metadata(actor="ana", correlation=name)
        appended = self.store.append(
            events(name, 1, 2), AppendHeader(header().command_id, header().append_id, metadata)
        )
        if stored:
            place: dict[str, Any] = {"domain_position": appended.position, "head": appended.hash.hex()}
            self.audit_log.append(replace(CALL, correlation=name, count=1, **place))

    def settle(self) -> RecordedCalls:
        """Do what a process does at its start."""
        recorder = SystemRecorder(self.audit_log, "w9", "key")
        return LostCallRecorder(self.store, self.feed, self.audit_log, recorder, lambda _: self.in_flight).record()

    def records(self) -> list[StoredAuditRecord]:
        """Return the audit log."""
        return self.audit_log.read(0, 1000)

    def replace_records(self, records: Sequence[StoredAuditRecord]) -> None:
        """Let the audit log be these."""
        raise NotImplementedError

    def check(self, **given: Any) -> tuple[list[str], list[str]]:
        """Return the faults of the audit log, and the calls that have no record though they must."""
        losses = [it for it in self.store.stream(LOSSES) if isinstance(it, TailLossAccepted)]
        check = AuditCheck(self.audit_log, chain_faults, is_older, LogHashes(self.feed), losses=losses, **given)
        answered: set[str] = set()
        list(check.run(answered.update))
        recorded = {it.event.metadata.correlation: it.commit for it in self.feed.after(0, 1000)}
        missing = [it for it, at in recorded.items() if it and it not in answered and check.needs_record(at)]
        return [what for _, what in check.faults], missing


class Embedded(Installation):
    """In files of SQLite."""

    def replace_records(self, records: Sequence[StoredAuditRecord]) -> None:
        database = self.audit_log.database  # type: ignore[attr-defined] # behind its back
        with database.writing() as connection:
            connection.execute("DELETE FROM communications")
            connection.executemany(INSERT, map(to_row, records))
        self.audit_log = SqliteAuditLog(database, "w1")


class Distributed(Installation):
    """In MongoDB."""

    def replace_records(self, records: Sequence[StoredAuditRecord]) -> None:
        collection = self.audit_log._documents  # type: ignore[attr-defined] # idem
        collection.delete_many({})
        if records:
            collection.insert_many(map(to_document, records))


@pytest.fixture(params=["embedded", "distributed"])
def installations(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Installation]]:
    """Two installations of one mode."""
    if request.param == "embedded":
        databases = [Database(tmp_path / name) for name in ("e1", "e2", "c1", "c2")]
        logs, audit_logs = databases[:2], databases[2:]
        yield [
            Embedded(SqliteEventStore(log), SqliteFeed(log), SqliteAuditLog(audit_log, "w1"))
            for log, audit_log in zip(logs, audit_logs, strict=True)
        ]
        for database in databases:
            database.close()
        return
    mongo: Mongo = request.getfixturevalue("mongo")
    with closing(Mongo(mongo.uri, f"{mongo.name}_b")) as other:
        yield [Distributed(MongoEventStore(it), MongoFeed(it), MongoAuditLog(it, "w1")) for it in (mongo, other)]
        other.client.drop_database(other.name)


@pytest.fixture
def here(installations: list[Installation]) -> Installation:
    return installations[0]


@pytest.fixture
def lived(here: Installation) -> Installation:
    """An installation with two lives, each with three calls; of each the last call was lost."""
    for life in ("a", "b"):
        for name in ("1", "2"):
            here.call(f"{life}{name}")
        here.call(f"{life}3", stored=False)
        here.settle()
    return here


def chained(records: Iterable[StoredAuditRecord]) -> list[StoredAuditRecord]:
    """Chain records anew, as one who knows how can."""
    made: list[StoredAuditRecord] = []
    for number, record in enumerate(records, 1):
        last = LastEntry.of(made[-1]) if made else LastEntry()
        made.append(record_after(last, "w1", number, record.content, to_microseconds(record.at)))
    return made


def test_a_call_whose_process_died_has_a_record_from_the_next_start_on(lived: Installation) -> None:
    lost = [it.content for it in lived.records() if it.content.operation == "call lost"]
    assert [(it.correlation, it.domain_position, it.kind) for it in lost] == [
        ("a3", 6, "process"),
        ("b3", 12, "process"),
    ]
    assert lived.check() == ([], [])
    before = lived.records()
    assert lived.settle() == RecordedCalls(0, 12)
    assert lived.records() == before


def test_what_is_in_flight_is_not_lost_and_is_looked_at_again(here: Installation) -> None:
    here.call("a1", stored=False)
    here.call("a2", stored=False)
    here.call("a3")
    here.in_flight = {"a2"}
    assert here.settle() == RecordedCalls(0, 3)
    assert [it.content.correlation for it in here.records()] == ["a3", "a1", "(calls settled)"]
    assert here.check() == ([], [])
    here.in_flight = set()
    assert here.settle() == RecordedCalls(0, 6)
    assert [it.content.correlation for it in here.records()[-2:]] == ["a2", "(calls settled)"]


def test_a_recorder_that_ends_waits_for_no_other_and_takes_no_call_for_lost(here: Installation) -> None:
    here.call("in flight elsewhere", stored=False)
    asked = Event()

    def ask(ending: Event) -> list[str]:
        asked.set()
        assert ending.wait(TIMEOUT)
        return []

    recorder = LostCallRecorder(here.store, here.feed, here.audit_log, SystemRecorder(here.audit_log, "w9", "key"), ask)
    recorder.start()
    assert asked.wait(TIMEOUT)
    recorder.stop()
    assert here.records() == []


def test_a_record_that_was_taken_out_is_missed_though_the_chain_was_made_anew(lived: Installation) -> None:
    for gone in ("a1", "b2", "a3"):
        kept = [it for it in lived.records() if it.content.correlation != gone]
        whole = lived.records()
        lived.replace_records(chained(kept))
        assert lived.check() == ([], [gone])
        lived.replace_records(whole)


def test_an_audit_log_that_was_cut_or_emptied_is_found_by_an_anchor(lived: Installation) -> None:
    records = lived.records()
    anchors = {"the anchor": (records[-1].position, records[-1].hash)}
    assert lived.check(anchors=anchors) == ([], [])
    for kept in (3, 0):
        lived.replace_records(records[:kept])
        assert (
            f"the audit log ends at {kept}, below {len(records)}, which the anchor has"
            in lived.check(anchors=anchors)[0]
        )


def test_an_audit_log_that_was_emptied_is_reported_without_an_anchor(lived: Installation) -> None:
    lived.replace_records([])
    assert lived.check() == (["the audit log is empty, though each commit of the log has its call"], [])


def test_an_audit_log_that_was_rewritten_is_found_by_an_anchor(lived: Installation) -> None:
    records = lived.records()
    anchors = {"the anchor": (records[2].position, records[2].hash)}
    forged = replace(records[0], content=replace(records[0].content, actor="eve"))
    lived.replace_records(chained([forged, *records[1:]]))
    assert lived.check() == ([], [])
    assert lived.check(anchors=anchors)[0] == [
        "communication 3: the anchor has another hash: the audit log was rewritten"
    ]


def test_the_audit_log_of_another_installation_is_reported_without_an_anchor(installations: list[Installation]) -> None:
    one, other = installations
    for name in ("a", "b"):
        one.call(name)
        other.call(name)
        other.call(f"{name}-too")
    mine = one.records()
    one.replace_records(other.records()[:2])
    faults, _ = one.check()
    assert faults[0].startswith("communication 1: it says that the log had another hash at 2")
    one.replace_records(other.records())
    assert any("it speaks of position 8 of the log, which ends at 4" in what for what in one.check()[0])
    other.replace_records(mine)  # as if its log had been rewritten
    assert len(other.check()[0]) == 2


def test_an_audit_log_that_is_newer_than_the_log_is_reported(installations: list[Installation]) -> None:
    one, older = installations
    for name in ("a", "b", "c"):
        one.call(name)
    older.call("a")
    older.replace_records(one.records())
    faults, _ = older.check()
    assert [
        f"communication {at}: it speaks of position {2 * at} of the log, which ends at 2" for at in (2, 3)
    ] == faults[-2:]


def test_an_audit_log_that_is_older_than_the_log_is_found_by_what_was_settled(lived: Installation) -> None:
    records = lived.records()
    older = records[:2]  # as in a back-up of the first life
    settled = [it for it in records if it.content.operation == "calls settled"][-1:]
    lived.replace_records(chained([*older, *settled]))
    assert lived.check()[1] == ["a3", "b1", "b2", "b3"]


def test_nobody_may_say_that_calls_need_no_records(lived: Installation) -> None:
    settled = lived.records()[-1]
    excused = replace(settled, content=replace(settled.content, causation="since:12"))
    lived.replace_records(chained([excused]))
    assert lived.check() == (
        ["the audit log leaves out the calls up to position 12, and no accepted loss says why"],
        [],
    )


def test_commits_from_before_an_older_version_was_replaced_need_no_record(here: Installation) -> None:
    here.call("a1", stored=False)
    here.replace_records(older_audit_log("w0", "w0"))
    here.audit_log.append(replace(CALL, head="", domain_position=2))
    assert here.settle() == RecordedCalls(2, 2)
    here.call("a2", stored=False)
    assert here.settle() == RecordedCalls(2, 4)
    whole = here.records()
    assert here.check()[1] == []
    here.replace_records([it for it in whole if it.content.correlation != "a2"])
    assert here.check()[1] == ["a2"]


def test_after_an_accepted_loss_all_is_well_again_and_what_comes_is_held_to_it(
    installations: list[Installation],
) -> None:
    newer, here = installations
    for name in ("a", "b", "c"):
        newer.call(name)
    here.call("a")
    here.replace_records(newer.records())
    position, head = here.feed.end()
    audit = here.records()[-1]
    log = LostTail(position=position, head=head.hex(), until=6)
    stated = LostTail(position=audit.position, head=audit.hash.hex(), until=audit.position + 2)
    facts: dict[str, Any] = {"reason": "disk", "log": log, "audit": stated, "evidence": ()}
    here.store.append([TailLossAccepted(originator_id=LOSSES, originator_version=1, **facts)], header())
    here.replace_records(newer.records())
    assert [what for what in here.check()[0] if "communication 1" not in what] == []
    assert here.settle() == RecordedCalls(2, 3)
    here.call("d", stored=False)
    here.settle()
    here.replace_records([it for it in here.records() if it.content.correlation != "d"])
    assert "d" in here.check()[1]


def test_nothing_to_settle_leaves_no_record(here: Installation) -> None:
    assert here.settle() == NO_RECORDED_CALLS
    assert here.records() == []
