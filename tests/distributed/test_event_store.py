"""What only the MongoDB store can get wrong: lost replies, commits of other processes, hashes unlike the embedded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from bson.objectid import ObjectId
from pymongo.errors import AutoReconnect

from adapters.distributed.log.commit_schema import STREAM_VERSION
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Fields, Mongo
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults
from commands.ports import AppendHeader, DuplicateAppend, EventStore, VersionConflict
from domain.errors import NotAbleError
from tests.contracts.events import ANA, append, event, events, header


class Line:
    """The store's collection behind a connection whose replies may be lost."""

    def __init__(self, collection: Any, lose: Callable[[], bool], *, arrives: bool) -> None:
        self._collection, self._lose, self._arrives = collection, lose, arrives

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def insert_many(self, documents: list[Fields], *, ordered: bool) -> None:
        lost = self._lose()
        if self._arrives or not lost:
            self._collection.insert_many(documents, ordered=ordered)
        if lost:
            raise AutoReconnect("the line is dead")


def once() -> Callable[[], bool]:
    """Return what is true the first time."""
    answers = iter([True])
    return lambda: next(answers, False)


def put_on_line(store: MongoEventStore, *, arrives: bool) -> None:
    appender: Any = store._appender
    appender._collection = Line(appender._collection, once(), arrives=arrives)


def test_an_append_whose_reply_is_lost_is_found_and_acknowledged(mongo: Mongo) -> None:
    store = MongoEventStore(mongo)
    append(store, "a")
    put_on_line(store, arrives=True)
    assert append(store, "a", 2).position == 2
    assert append(store, "a", 3).position == 3
    assert_sound(mongo, 3)


def test_an_append_that_did_not_arrive_is_not_able_now_and_can_be_repeated(mongo: Mongo) -> None:
    store = MongoEventStore(mongo)
    append(store, "a")
    put_on_line(store, arrives=False)
    given = header()
    with pytest.raises(NotAbleError, match="the line is dead"):
        store.append([event("a", 2)], given)
    assert store.append([event("a", 2)], given).position == 2
    assert_sound(mongo, 2)


def test_a_repeat_in_another_process_gets_the_first_receipt(mongo: Mongo) -> None:
    given = header()
    stored = MongoEventStore(mongo).append([event("a", 1)], given)
    with pytest.raises(DuplicateAppend) as known:
        MongoEventStore(mongo).append([event("a", 1)], given)
    assert known.value.appended == stored


def test_a_repeat_is_known_though_it_would_leave_a_hole(mongo: Mongo) -> None:
    given = header()
    store = MongoEventStore(mongo)
    stored = store.append(events("a", 1, 2), given)
    with pytest.raises(DuplicateAppend) as known:
        MongoEventStore(mongo).append([event("a", 7)], given)
    assert known.value.appended == stored


def test_the_hashes_are_those_of_the_embedded_store(mongo: Mongo) -> None:
    def fill(store: EventStore) -> None:
        for n in range(1, 4):
            given = AppendHeader(UUID(int=n), UUID(int=100 + n), ANA, "ab" * 32 if n == 1 else "")
            store.append([event("a", n), event(f"b{n}", 1, "ä\0\u2028")], given)

    clock = [iter([5, 4, 10**15]) for _ in range(2)]
    database = Database(":memory:")
    fill(SqliteEventStore(database, lambda: next(clock[0])))
    fill(MongoEventStore(mongo, lambda: next(clock[1])))
    assert MongoFeed(mongo).raw_after(0, 100) == SqliteFeed(database).raw_after(0, 100)
    database.close()


def test_two_processes_take_turns_with_tails_that_are_out_of_date(mongo: Mongo) -> None:
    one, other = MongoEventStore(mongo), MongoEventStore(mongo)
    for version in range(1, 21, 2):
        append(one, "a", version)
        append(other, "a", version + 1)
    assert_sound(mongo, 20)
    with pytest.raises(VersionConflict, match="a is at version 20"):
        append(one, "a", 20)


def test_a_version_is_not_believed_because_a_bigger_one_was_seen(mongo: Mongo) -> None:
    store = MongoEventStore(mongo)
    append(store, "a", count=5)
    with pytest.raises(VersionConflict, match="a is at version 5; version 4"):
        append(store, "a", 4)
    with pytest.raises(VersionConflict, match="a is at version 5; version 7"):
        append(MongoEventStore(mongo), "a", 7)


def test_a_version_that_another_process_wrote_is_seen(mongo: Mongo) -> None:
    one, other = MongoEventStore(mongo), MongoEventStore(mongo)
    append(one, "a", count=2)
    assert (one.version("a"), other.version("a")) == (2, 2)
    append(other, "a", 3, 3)
    assert (one.version("a"), one.version("b")) == (5, 0)


def test_streams_are_found_without_reading_their_events(mongo: Mongo) -> None:
    store = MongoEventStore(mongo)
    for n in range(20):
        append(store, f"dataset:{n:02}", count=30)
    begun = {"e": {"$elemMatch": {"o": {"$gte": "dataset:", "$lt": "dataset;"}, "v": 1}}}
    plan = store._streams.collection.find(begun).hint(STREAM_VERSION).explain()
    assert store.streams("dataset:", 100) == [f"dataset:{n:02}" for n in range(20)]
    assert plan["executionStats"]["totalKeysExamined"] <= 2 * 20 + 2


def test_names_of_streams_are_no_expressions(mongo: Mongo) -> None:
    store = MongoEventStore(mongo)
    for name in ("$e", "$$ROOT", "a.b"):
        append(store, name, count=2)
        assert [e.originator_version for e in store.stream(name)] == [1, 2]
    assert store.streams("$", 10) == ["$$ROOT", "$e"]


@pytest.mark.parametrize(
    "damage",
    [
        {"$set": {"at": "yesterday"}},
        {"$set": {"hash": None}},
        {"$unset": {"e": ""}},
        {"$set": {"e": "none"}},
        {"$set": {"e.0.s": 7}},
        {"$set": {"e.0": 7}},
        {"$set": {"digest": 7}},
        {"$set": {"append_id": ObjectId()}},
        {"$set": {"at": 2**62}},
        {"$inc": {"e.0.v": 1}},
    ],
)
def test_damage_comes_back_as_something_and_the_chain_finds_it(mongo: Mongo, damage: Fields) -> None:
    store, log = MongoEventStore(mongo), MongoFeed(mongo)
    append(store, "a", count=2)
    append(store, "b")
    mongo.collection("commits").update_one({"_id": 1}, damage, bypass_document_validation=True)
    commits = log.raw_after(0, 100)
    assert [commit.position for commit in commits] == [2, 3]
    assert next(chain_faults(commits))[0] == 2


def test_documents_that_are_not_commits_are_reported(mongo: Mongo) -> None:
    store, log = MongoEventStore(mongo), MongoFeed(mongo)
    append(store, "a", count=2)
    head = log.end()
    assert log.strays() == []
    commits = mongo.collection("commits")
    commits.insert_one({"_id": "x", "append_id": b"1"}, bypass_document_validation=True)
    assert MongoEventStore(mongo).end() == log.end() == head
    stray = {"_id": 7, "append_id": b"2", "position": "7", "e": [{"o": "s", "v": 1}]}
    commits.insert_one(stray, bypass_document_validation=True)
    assert [it.partition(":")[0] for it in sorted(log.strays())] == [
        f"document {id} of commits is not a commit" for id in ("'x'", "7")
    ]
    assert log.end() == head
    with pytest.raises(NotAbleError, match="verify"):
        append(MongoEventStore(mongo), "a", 3)


def assert_sound(mongo: Mongo, length: int) -> None:
    log = MongoFeed(mongo)
    commits = log.raw_after(0, 10**6)
    assert sum(len(commit.events) for commit in commits) == log.end()[0] == length
    assert list(chain_faults(commits)) == []
    assert log.strays() == []
