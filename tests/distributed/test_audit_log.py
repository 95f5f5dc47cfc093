"""The audit log in MongoDB: many processes at once, lost replies, damage, outages, and an index for every question."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from bson.int64 import Int64
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect, OperationFailure, WriteError

from adapters.audit_log.chain import chain_faults
from adapters.distributed.audit_log.record_schema import to_document
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.disk_reserve import DiskReserve
from adapters.distributed.mongo import Mongo
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import AuditRecord
from tests.audit_records import CALL
from tests.servers.process import Server
from tests.wire.test_audit_chain import older_audit_log

MANY = 4


@pytest.fixture
def audit_log(mongo: Mongo) -> MongoAuditLog:
    return MongoAuditLog(mongo, "w1")


@pytest.fixture
def audit_logs(mongo: Mongo) -> Iterator[list[MongoAuditLog]]:
    """The audit log as several processes have it, each with a client of its own."""
    with ExitStack() as opened:
        clients = [Mongo(mongo.uri, mongo.name) for _ in range(MANY)]
        for client in clients:
            opened.callback(client.close)
        yield [MongoAuditLog(client, f"w{number}") for number, client in enumerate(clients)]


def faults(audit_log: MongoAuditLog) -> list[tuple[int, str]]:
    return list(chain_faults(audit_log.read(0, 10_000)))


def test_many_processes_write_one_row_without_holes_and_a_sound_chain_each(audit_logs: list[MongoAuditLog]) -> None:
    with ThreadPoolExecutor(4 * MANY) as pool:
        records = list(pool.map(lambda number: audit_logs[number % MANY].append(CALL), range(40 * MANY)))
    stored = audit_logs[0].read(0, 10_000)
    assert sorted(records, key=lambda record: record.position) == stored
    assert [record.position for record in stored] == list(range(1, 40 * MANY + 1))
    assert sorted({record.writer for record in stored}) == [f"w{number}" for number in range(MANY)]
    assert [record.at for record in stored] == sorted(record.at for record in stored)
    assert faults(audit_logs[1]) == []


def test_the_ring_and_a_waiting_follower_see_what_other_processes_write(audit_logs: list[MongoAuditLog]) -> None:
    one, other = audit_logs[:2]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.wait_beyond, 0, 30)
        first = other.append(CALL)
        assert waiting.result() is True
    assert one.recent(0) == [first]
    second, third = one.append(CALL), other.append(CALL)
    assert one.recent(0) == [first, second, third]
    assert one.recent(2) == [third]


@pytest.mark.parametrize("stored", [True, False])
def test_a_lost_reply_is_cleared_up(audit_log: MongoAuditLog, monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
    audit_log.append(CALL)
    insert, late = Collection.insert_many, []

    def lost(self: Collection[Any], documents: list[Any], **how: Any) -> None:
        if stored:
            insert(self, documents, **how)
        late.append((self, documents))
        raise AutoReconnect("the connection is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Collection, "insert_many", lost)
        if stored:
            assert audit_log.append(CALL).position == 2
        else:
            with pytest.raises(NotAbleError, match="the connection is gone"):
                audit_log.append(CALL)
            insert(*late[0])  # what was given up for lost arrives after all
    assert [audit_log.append(CALL).number for _ in range(2)] == [3, 4]
    assert faults(audit_log) == []


def test_a_late_insert_between_two_of_ours_breaks_no_chain(
    audit_log: MongoAuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit_log.append(CALL)
    insert, late = Collection.insert_many, []

    def lost(self: Collection[Any], documents: list[Any], **_: Any) -> None:
        late.append((self, documents))
        raise AutoReconnect("the connection is gone")

    def after_the_late_one(self: Collection[Any], documents: list[Any], **how: Any) -> Any:
        if late:
            insert(*late.pop())
        return insert(self, documents, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Collection, "insert_many", lost)
        with pytest.raises(NotAbleError):
            audit_log.append(CALL)
        patched.setattr(Collection, "insert_many", after_the_late_one)
        assert (audit_log.append(CALL).position, late) == (3, [])
    assert faults(audit_log) == []


def test_one_bad_text_harms_no_other(audit_log: MongoAuditLog) -> None:
    assert audit_log.append(replace(CALL, actor="\ud800")).content.actor == "?"
    assert audit_log.append(CALL).position == 2


BYPASS: dict[str, Any] = {"bypass_document_validation": True}
WRONG_VALUES: list[Any] = ["other", None, 5000, 1.5, b"x", True, {"a": 1}]


@pytest.mark.parametrize("value", WRONG_VALUES, ids=repr)
def test_every_change_of_a_stored_field_is_found_at_its_position(
    mongo: Mongo, audit_log: MongoAuditLog, value: Any
) -> None:
    names = ["at", "number", "previous", "hash", *(field.name for field in fields(AuditRecord))]
    for _ in names:
        audit_log.append(CALL)
    for position, name in enumerate(names, 1):
        mongo.collection("communications").update_one({"_id": position}, {"$set": {name: value}}, **BYPASS)
    found = {position for position, _ in faults(audit_log)}
    assert set(range(1, len(names) + 1)) <= found
    assert len(audit_log.page({}, None, 100)) == len(names)


def test_a_number_kept_as_text_is_found_too(mongo: Mongo, audit_log: MongoAuditLog) -> None:
    audit_log.append(CALL)
    mongo.collection("communications").update_one({}, {"$set": {"bytes_in": "120"}}, **BYPASS)
    assert faults(audit_log) == [(1, "the stored record does not have the stored hash")]


def test_a_removed_record_is_found_and_a_stray_one_is_named(mongo: Mongo, audit_log: MongoAuditLog) -> None:
    for _ in range(3):
        audit_log.append(CALL)
    mongo.collection("communications").delete_one({"_id": 2})
    mongo.collection("communications").insert_one({"_id": 2.5}, **BYPASS)
    assert [position for position, _ in faults(audit_log)] == [3]
    assert ["2.5 of communications is not a communication" in it for it in audit_log.strays()] == [True]


@pytest.mark.parametrize("place", [0, -1, -(2**40)])
def test_a_record_before_the_first_position_is_named_and_neither_served_nor_followed(
    mongo: Mongo, audit_log: MongoAuditLog, place: int
) -> None:
    records = mongo.collection("communications")
    records.insert_one(to_document(audit_log.append(CALL)) | {"_id": Int64(place), "number": 0}, **BYPASS)
    assert [it.position for it in audit_log.page({"until": "2999-01-01T00:00:00Z"}, None, 10)] == [1]
    assert [it.position for it in audit_log.recent(-(2**50))] == [1]
    assert audit_log.strays() == [f"document {place} of communications is not a communication: positions begin at 1"]
    records.delete_one({"_id": 1})
    assert MongoAuditLog(mongo, "w2").append(CALL).position == 1


def test_the_server_refuses_records_of_an_older_version_that_still_runs(mongo: Mongo, audit_log: MongoAuditLog) -> None:
    audit_log.append(CALL)
    record = older_audit_log("old")[0]
    document = {name: it for name, it in to_document(record).items() if name not in {"count", "head"}}
    with pytest.raises(WriteError, match="validation"):
        mongo.collection("communications").insert_one(document | {"_id": Int64(2)})


def test_records_of_an_older_version_stay_and_new_ones_follow_them(mongo: Mongo, audit_log: MongoAuditLog) -> None:
    older = older_audit_log("a", "b", "a")
    documents = [
        {name: it for name, it in to_document(record).items() if name not in {"count", "head"}} for record in older
    ]
    mongo.collection("communications").insert_many(documents, bypass_document_validation=True)
    assert audit_log.read(0, 10) == older
    assert audit_log.append(CALL).previous == older[-1].hash
    assert faults(audit_log) == []


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "_id_"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, "_id_"),
        *(({name: "x"}, name) for name in ("correlation", "actor", "operation", "outcome", "kind")),
    ],
)
def test_pages_are_found_and_ordered_by_an_index(
    mongo: Mongo, audit_log: MongoAuditLog, filters: dict[str, str], index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    find = Collection.find

    def noted(self: Collection[Any], which: Any, *more: Any, **how: Any) -> Any:
        asked.append(find(self, which, *more, **how))
        return asked[-1]

    audit_log.append(CALL)
    monkeypatch.setattr(Collection, "find", noted)
    audit_log.page(filters, 10, 5)
    used = [_stages(cursor.clone().explain()["queryPlanner"]["winningPlan"]) for cursor in asked]
    assert used[-1][-1] == ("IXSCAN", index)
    assert not {"COLLSCAN", "SORT"} & {stage for stages in used for stage, _ in stages}


def _stages(plan: dict[str, Any]) -> list[tuple[str, str]]:
    plan = plan.get("queryPlan", plan)
    below = _stages(plan["inputStage"]) if "inputStage" in plan else []
    return [(plan["stage"], plan.get("indexName", "")), *below]


def test_the_disk_reserve_is_kept_on_the_servers_disk_and_here(mongo: Mongo, tmp_path: Path) -> None:
    MongoAuditLog(mongo, "w1", reserve=1, folder=tmp_path).check_able()
    with pytest.raises(DiskReserveError, match="MongoDB's disk are free"):
        MongoAuditLog(mongo, "w1", reserve=2**62).check_able()
    with pytest.raises(DiskReserveError, match=f"the disk of {tmp_path}"):
        MongoAuditLog(mongo, "w1", reserve=2**62, folder=tmp_path).check_able()


def test_a_server_that_tells_nothing_of_its_disk_has_no_reserve(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OperationFailure("not for you", 13)

    monkeypatch.setattr(type(mongo.database), "command", refuse)
    DiskReserve(mongo, 2**62).check()


@pytest.mark.slow
def test_an_outage_is_reported_and_over_when_the_server_is_back(own_mongodb: Server, installation: str) -> None:
    mongo = Mongo(own_mongodb.url, installation, seconds=2)
    audit_log = MongoAuditLog(mongo, "w1")
    first = audit_log.append(CALL)
    assert audit_log.recent(0) == [first]
    own_mongodb.kill()
    with pytest.raises(NotAbleError):
        audit_log.append(CALL)
    with pytest.raises(NotAbleError):
        audit_log.check_able()
    assert audit_log.recent(0) == [first]
    own_mongodb.restart()
    audit_log.check_able()
    audit_log.append(CALL)
    assert faults(audit_log) == []
    mongo.close()
