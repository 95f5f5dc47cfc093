"""Verify finds each change of what MongoDB holds, or the change is without effect on anything that is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from bson import decode, encode
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from pymongo.errors import WriteError

from adapters.distributed.as_written import fault_in
from adapters.distributed.event_store import MongoEventStore
from adapters.distributed.mongo import Fields, Mongo
from adapters.distributed.read_models import ReadModels
from adapters.distributed.served_streams import streams_out_of_order
from adapters.distributed.state_documents import SHAPES
from domain.errors import ConflictError
from projections import verify
from tests.distributed.bson_changes import changes
from tests.distributed.every_change import Place, is_same, kinds, missed
from tests.distributed.life import faults_in, live, living

SOME_DOCUMENTS = [("commits", 0), ("communications", 3), ("documents", 0), ("documents", 6), ("history", 0)]
OTHER_VALUES = (" else", " longer", " negative")
RARELY = 61  # of the changes that the document shows by itself, every so often one is made in the database


@pytest.fixture(scope="module")
def lived(mongodb: str) -> Iterator[Mongo]:
    """An installation that each test leaves as it was."""
    mongo = Mongo(mongodb, f"test-{uuid4().hex[:12]}")
    live(mongo)
    yield mongo
    mongo.client.drop_database(mongo.name)
    mongo.close()


def named(mongo: Mongo, name: str) -> str:
    """Return the whole name of a collection."""
    return next(it for it in kinds(mongo) if it.endswith(name))


def test_all_is_well_while_processes_live(lived: Mongo) -> None:
    with living(lived):
        assert faults_in(lived) == []


@pytest.mark.parametrize("name", ["commits", "communications", "documents", "history"])
def test_types_lengths_order_and_fields_show_in_each_document(lived: Mongo, name: str) -> None:
    place, kind = Place(lived, named(lived, name)), kinds(lived)[named(lived, name)]
    for raw in place.before:
        assert fault_in(raw, kind) is None
        for what, changed in changes(raw):
            shows = fault_in(changed, kind) is not None
            same_types = [*types_in(decode(raw))] == [*types_in(decode(changed))]
            is_compared = what.startswith("f.")  # with what the log says: a fact may be any number
            assert shows or same_types or is_compared or is_same(kind, raw, changed), what


def types_in(value: Any) -> Iterator[Any]:
    """Yield the names and types of all that is in a document; all whole numbers are of one."""
    if isinstance(value, dict):
        for name, it in value.items():
            yield name
            yield from types_in(it)
    elif isinstance(value, list):
        for it in value:
            yield from types_in(it)
    else:
        yield int if type(value) is Int64 else type(value)


@pytest.mark.parametrize(("name", "n"), SOME_DOCUMENTS)
def test_values_of_the_same_type_are_found_by_what_they_must_agree_with(lived: Mongo, name: str, n: int) -> None:
    kind = kinds(lived)[named(lived, name)]

    def wanted(_: int, what: str, changed: bytes) -> bool:
        return what.endswith(OTHER_VALUES) and fault_in(changed, kind) is None

    count, gaps = missed(lived, named(lived, name), n, wanted)
    assert (count > 5, gaps) == (True, [])


@pytest.mark.parametrize(("name", "n"), SOME_DOCUMENTS)
def test_changes_of_all_kinds_are_found_in_the_database(lived: Mongo, name: str, n: int) -> None:
    count, gaps = missed(lived, named(lived, name), n, lambda number, *_: number % RARELY == n)
    assert (count > 0, gaps) == (True, [])


STRAY_IDS: list[Any] = ["5", -1, 0, 5.0, 2.5, float("nan"), None, Decimal128("5"), Int64(10**9), Int64(-1), {"a": 1}]


@pytest.mark.parametrize("name", ["commits", "communications", "documents", "history"])
def test_a_document_at_a_place_of_any_type_is_named(lived: Mongo, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "REACHED_WITHIN", 0.0)  # the log seems to be longer
    place = Place(lived, named(lived, name))
    model = decode(place.before[0])
    beyond = [{"kind": "event", "id": "x/1", "since": 10**9}, {"n": 10**12, "since": 10**9}]
    for number, stray in enumerate([*STRAY_IDS, *beyond]):
        other = unique(model, number) | {"_id": stray}
        found = place.faults([*place.before, encode(other)])
        assert found is None or any(repr(stray)[:9] in it for it in found), (stray, found)


def unique(document: Fields, number: int) -> Fields:
    """Return the document with other values under the keys that no other one may have."""
    other = document | {"position": Int64(10**9 + number), "number": Int64(10**9), "append_id": encode({"n": number})}
    events = [{**e, "v": 10**6 + number} for e in document.get("e", ())]
    return {name: it for name, it in (other | {"e": events}).items() if name in document}


@pytest.mark.parametrize("name", ["commits", "communications", "documents", "history"])
def test_each_document_that_is_removed_is_missed(lived: Mongo, name: str) -> None:
    place = Place(lived, named(lived, name))
    last = len(place.before) - 1 if name in {"commits", "communications"} else len(place.before)
    for n in range(last):  # what the end of a log was is not known in it
        assert place.faults([*place.before[:n], *place.before[n + 1 :]]), n


@pytest.mark.parametrize("name", ["commits", "communications", "documents", "history"])
def test_contents_that_change_places_are_found(lived: Mongo, name: str) -> None:
    place = Place(lived, named(lived, name))
    for n in range(1, len(place.before)):
        one, other = decode(place.before[n - 1]), decode(place.before[n])
        swapped = [encode({**other, "_id": one["_id"]}), encode({**one, "_id": other["_id"]})]
        assert place.faults([*place.before[: n - 1], *swapped, *place.before[n + 1 :]]), n


def set_in(collection: str, id_: str, change: Fields) -> Callable[[Mongo], object]:
    """Return what changes a small document."""
    return lambda mongo: mongo.collection(collection).update_one({"_id": id_}, change)


POINTERS: dict[str, Callable[[Mongo], object]] = {
    "no generation": set_in("read-models", "v1", {"$unset": {"generation": ""}}),
    "another generation": set_in("read-models", "v1", {"$set": {"generation": 2}}),
    "a generation as text": set_in("read-models", "v1", {"$set": {"generation": "1"}}),
    "a generation as double": set_in("read-models", "v1", {"$set": {"generation": 1.0}}),
    "a counter set back": set_in("read-models", "v1", {"$set": {"last": 0}}),
    "no counter": set_in("read-models", "v1", {"$unset": {"last": ""}}),
    "no pointer": lambda mongo: mongo.collection("read-models").delete_one({"_id": "v1"}),
    "a position as text": set_in("read-models", "v1-1", {"$set": {"position": "12"}}),
    "a position as double": set_in("read-models", "v1-1", {"$set": {"position": 12.0}}),
    "an earlier position": set_in("read-models", "v1-1", {"$inc": {"position": -1}}),
    "a later position": set_in("read-models", "v1-1", {"$inc": {"position": 1}}),
    "no position": lambda mongo: mongo.collection("read-models").delete_one({"_id": "v1-1"}),
    "an unknown pointer": lambda mongo: mongo.collection("read-models").insert_one({"_id": "w"}),
    "no installation": lambda mongo: mongo.collection("installation").delete_one({"_id": "installation"}),
    "no installation's id": set_in("installation", "installation", {"$set": {"id": "1"}}),
    "another key": set_in("installation", "master-key", {"$set": {"fingerprint": "e" * 16}}),
    "no key": lambda mongo: mongo.collection("installation").delete_one({"_id": "master-key"}),
    "a lease for ever": set_in("leases", "relay", {"$set": {"until": datetime(2999, 1, 1, tzinfo=UTC)}}),
    "a lease without end": set_in("leases", "relay", {"$set": {"until": "never"}}),
    "a status as text": set_in("statuses", "relay", {"$set": {"position": "3"}}),
    "something else in flight": lambda mongo: mongo.collection("presence").insert_one({"_id": "x", "in_flight": 1}),
}


@pytest.fixture
def once(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> Mongo:
    """An installation for one change that is not taken back."""
    monkeypatch.setattr(verify, "REACHED_WITHIN", 0.05)
    live(mongo)
    return mongo


@pytest.fixture
def small(lived: Mongo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    """The same installation, whose small documents are put back afterwards."""
    monkeypatch.setattr(verify, "REACHED_WITHIN", 0.05)
    places = [Place(lived, name) for name in SHAPES]
    yield lived
    for place in places:
        place.restore()


@pytest.mark.parametrize("what", POINTERS)
def test_a_pointer_that_changed_is_found(small: Mongo, what: str) -> None:
    POINTERS[what](small)
    assert faults_in(small)


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
        lambda mongo: mongo.database.command("collMod", ReadModels.current(mongo).documents.name, validator={"x": 1}),
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
    assert list(streams_out_of_order(once)) == []
    last = once.collection("commits").find_one({}, sort=[("_id", -1)]) or {}
    stream, version = last["e"][0]["o"], last["e"][0]["v"]
    commits, which = once.collection("commits"), {"_id": last["_id"]}
    commits.update_one(which, {"$set": {"e.0.v": version + 1}})
    assert [it for it in streams_out_of_order(once) if repr(stream) in it and f"version {version + 1}" in it]
    commits.update_one(which, {"$set": {"e.0.v": version, "e.0.o": "experiment:other"}})
    assert [it for it in streams_out_of_order(once) if "experiment:other" in it]


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
