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

from adapters.distributed.document_format import fault_in
from adapters.distributed.installation import begin_recovery
from adapters.distributed.mongo import Fields, Mongo
from adapters.distributed.verification.state_documents import SHAPES
from projections.fold import VERSION, VERSIONS
from projections.verification import verify
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
    return next(it for it in kinds(mongo) if it == name or it.startswith(f"read-{name}-"))


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
    assert (count >= 5, gaps) == (True, [])


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
    beyond = [{"kind": "member", "id": "x/1", "since": 10**9}, {"n": 10**12, "since": 10**9}]
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


POINTER = f"v{VERSION}"
POINTERS: dict[str, Callable[[Mongo], object]] = {
    "no generation": set_in("read-models", POINTER, {"$unset": {"generation": ""}}),
    "another generation": set_in("read-models", POINTER, {"$set": {"generation": 2}}),
    "a generation as text": set_in("read-models", POINTER, {"$set": {"generation": "1"}}),
    "a generation as double": set_in("read-models", POINTER, {"$set": {"generation": 1.0}}),
    "a counter set back": set_in("read-models", "last", {"$set": {"number": 0}}),
    "no counter": lambda mongo: mongo.collection("read-models").delete_one({"_id": "last"}),
    "no pointer": lambda mongo: mongo.collection("read-models").delete_one({"_id": POINTER}),
    "a position as text": set_in("read-models", "generation-1", {"$set": {"positions.tasks": "12"}}),
    "a position as double": set_in("read-models", "generation-1", {"$set": {"positions.tasks": 12.0}}),
    "an earlier position": set_in("read-models", "generation-1", {"$inc": {"positions.history": -1}}),
    "a later position": set_in("read-models", "generation-1", {"$inc": {"positions.catalog": 1}}),
    "later positions": set_in("read-models", "generation-1", {"$inc": {f"positions.{it}": 1 for it in VERSIONS}}),
    "no position": set_in("read-models", "generation-1", {"$unset": {"positions.session": ""}}),
    "a position of nothing": set_in("read-models", "generation-1", {"$set": {"positions.x": 1}}),
    "a generation of another version": set_in("read-models", "generation-1", {"$inc": {"version": 1}}),
    "another collection": set_in("read-models", "generation-1", {"$set": {"collections.tasks": "read-documents-2"}}),
    "a collection of another name": set_in("read-models", "generation-1", {"$set": {"collections.tasks": "x"}}),
    "a projection of another version": set_in("read-models", "generation-1", {"$inc": {"versions.tasks": 1}}),
    "no collection": set_in("read-models", "generation-1", {"$unset": {"collections.tasks": ""}}),
    "no generation's document": lambda mongo: mongo.collection("read-models").delete_one({"_id": "generation-1"}),
    "an unknown pointer": lambda mongo: mongo.collection("read-models").insert_one({"_id": "w"}),
    "no installation": lambda mongo: mongo.collection("installation").delete_one({"_id": "installation"}),
    "no installation's id": set_in("installation", "installation", {"$set": {"id": "1"}}),
    "another key": set_in("installation", "master-key", {"$set": {"fingerprint": "e" * 16}}),
    "no key": lambda mongo: mongo.collection("installation").delete_one({"_id": "master-key"}),
    "a recovery that nobody began": lambda mongo: begin_recovery(mongo, "x"),
    "a lease for ever": set_in("leases", "relay", {"$set": {"until": datetime(2999, 1, 1, tzinfo=UTC)}}),
    "a lease without end": set_in("leases", "relay", {"$set": {"until": "never"}}),
    "a status as text": set_in("statuses", "relay", {"$set": {"position": "3"}}),
    "something else in flight": lambda mongo: mongo.collection("presence").insert_one({"_id": "x", "in_flight": 1}),
}


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
