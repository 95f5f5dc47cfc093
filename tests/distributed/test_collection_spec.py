"""Verify names each collection, index and validator of a MongoDB that is another one; a start mends what it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import WriteError

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.stream_index import streams_out_of_order
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels
from domain.errors import ConflictError
from projections.verification import verify
from tests.distributed.life import faults_in, live


@pytest.fixture
def once(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> Mongo:
    """An installation for one change that is not taken back."""
    monkeypatch.setattr(verify, "REACHED_WITHIN", 0.05)
    live(mongo)
    return mongo


def without(index: str, collection: str = "commits", **options: Any) -> Callable[[Mongo], object]:
    """Return what drops an index, and makes it anew with options where there are any."""

    def change(mongo: Mongo) -> None:
        indexes = mongo.collection(collection)
        key = dict(indexes.index_information()[index]["key"])
        indexes.drop_index(index)
        if options:
            indexes.create_index(list(key.items()), name=index, **options)

    return change


def replaced(collection: str, **options: Any) -> Callable[[Mongo], object]:
    """Return what puts the documents into a collection of another kind."""

    def change(mongo: Mongo) -> None:
        documents = list(mongo.collection(collection).find())
        mongo.collection(collection).drop()
        made = mongo.database.create_collection(collection, **options)
        made.insert_many(documents)

    return change


def behind_a_view(mongo: Mongo) -> None:
    """Move the commits away, and show them through a view."""
    mongo.collection("commits").rename("elsewhere")
    mongo.database.create_collection("commits", viewOn="elsewhere", pipeline=[])


STRUCTURES: dict[str, tuple[str, Callable[[Mongo], object]]] = {
    "a stream twice": ("stream_version", without("stream_version")),
    "an append twice": ("append_id", without("append_id")),
    "an index that is not unique": ("append_id", without("append_id", unique=False)),
    "an index of a part": ("append_id", without("append_id", unique=True, partialFilterExpression={"at": 1})),
    "an index without gaps": ("append_id", without("append_id", unique=True, sparse=True)),
    "an index in another language": ("append_id", without("append_id", unique=True, collation={"locale": "de"})),
    "a hidden index": ("position", without("position", unique=True, hidden=True)),
    "no index of calls": ("correlation", without("correlation", "communications")),
    "another index that deletes": (
        "somebody",
        lambda mongo: mongo.collection("commits").create_index("x", expireAfterSeconds=10**8),
    ),
    "another index that refuses": (
        "somebody",
        lambda mongo: mongo.collection("communications").create_index("x.y", unique=True, sparse=True),
    ),
    "no index of read models": ("_id.n_-1", lambda mongo: ReadModels.current(mongo).history.drop_index("_id.n_-1")),
    "a view": ("view", behind_a_view),
    "a capped collection": ("capped", replaced("communications", capped=True, size=10**6)),
    "another order": ("collation", replaced("commits", collation={"locale": "de"})),
    "no validator": ("validator", lambda mongo: mongo.database.command("collMod", "commits", validator={})),
    "a validator that only warns": (
        "validationAction",
        lambda mongo: mongo.database.command("collMod", "communications", validationAction="warn"),
    ),
    "a validator that refuses all": (
        "validator",
        lambda mongo: mongo.database.command(
            "collMod", ReadModels.current(mongo).documents("task").name, validator={"x": 1}
        ),
    ),
    "no commits": ("not there", lambda mongo: mongo.collection("commits").drop()),
}


@pytest.mark.parametrize("what", STRUCTURES)
def test_a_collection_or_index_that_is_another_one_is_named(once: Mongo, what: str) -> None:
    word, change = STRUCTURES[what]
    change(once)
    assert any(word in it for it in faults_in(once))


def test_an_index_of_somebody_else_that_changes_nothing_is_no_fault(once: Mongo) -> None:
    once.collection("communications").create_index([("operation", 1), ("at", -1)])
    assert faults_in(once) == []


def test_verify_mends_nothing(once: Mongo) -> None:
    once.collection("commits").drop_index("append_id")
    assert faults_in(once) == faults_in(once) != []


def test_the_next_start_sets_a_lost_validator_and_index(once: Mongo) -> None:
    without("append_id")(once)
    once.database.command("collMod", "commits", validator={})
    MongoEventStore(once)
    assert faults_in(once) == []


def test_the_server_refuses_what_no_program_of_ours_stores(once: Mongo) -> None:
    with pytest.raises(WriteError, match="validation"):
        once.collection("commits").update_one({"_id": 1}, {"$set": {"append_id": "text"}})


def test_an_event_that_is_in_no_stream_or_in_another_one_shows_in_the_streams(once: Mongo) -> None:
    assert list(streams_out_of_order(once, 10**9)) == []
    last = once.collection("commits").find_one({}, sort=[("_id", -1)]) or {}
    stream, version = last["e"][0]["o"], last["e"][0]["v"]
    commits, which = once.collection("commits"), {"_id": last["_id"]}
    commits.update_one(which, {"$set": {"e.0.v": version + 1}})
    assert [it for it in streams_out_of_order(once, 10**9) if repr(stream) in it and f"version {version + 1}" in it]
    commits.update_one(which, {"$set": {"e.0.v": version, "e.0.o": "experiment:other"}})
    assert [it for it in streams_out_of_order(once, 10**9) if "experiment:other" in it]


def test_a_start_says_which_index_cannot_be_made(once: Mongo) -> None:
    without("append_id", unique=False)(once)
    with pytest.raises(ConflictError, match=r"append_id.*autolearn verify"):
        MongoEventStore(once)
    commits = once.collection("commits")
    commits.drop_index("append_id")
    first = commits.find_one({}, sort=[("_id", 1)]) or {}
    commits.update_one({"_id": 2}, {"$set": {"append_id": first["append_id"]}})
    with pytest.raises(ConflictError, match=r"duplicate key.*autolearn verify"):
        MongoEventStore(once)
    assert faults_in(once)
