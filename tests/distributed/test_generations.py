"""Generations of read models on MongoDB: one serves, the one before stays for its readers, all older ones go."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models import generations as read_models
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import STATE, ReadModels, make_current, serving, sweep
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from domain.errors import NotAbleError
from projections import fold
from projections.fold import VERSIONS
from projections.ports import OPEN, Batch, Document, HistoryQuery


def written(read: ReadModels, *bodies: dict[str, Any], first: int = 1) -> ProjectorDocuments:
    documents = ProjectorDocuments(read)
    for position, body in enumerate(bodies, first):
        documents.apply(Batch(position, [("task", "a", position, body)]))
    return documents


def test_where_no_generation_serves_yet_all_is_empty(mongo: Mongo) -> None:
    read = ReadModels.current(mongo)
    documents = MongoDocuments(read)
    assert documents.position() == 0
    assert documents.get("task", "a") is None
    assert list(documents.versions("task")) == list(documents.all_versions()) == []
    assert MongoHistory(read).page(HistoryQuery(0)).rows == []
    assert documents.wait(1, 0) is False


def test_of_several_that_make_the_first_generation_one_wins(mongo: Mongo) -> None:
    made = [ReadModels.ensure(mongo).number for _ in range(3)]
    assert made == [1, 1, 1]
    ReadModels.fresh(mongo)
    assert serving(mongo) == 1


def test_readers_follow_a_switch(mongo: Mongo) -> None:
    reading = ReadModels.ensure(mongo)
    projector = written(reading, {"v": 1})
    reader = MongoDocuments(reading)
    assert reader.get("task", "a") == Document("task", "a", 1, OPEN, {"v": 1})
    rebuilt = ReadModels.fresh(mongo)
    written(rebuilt, {"v": "anew"})
    projector.switch(rebuilt.number)
    reading.look()
    assert reader.get("task", "a") == Document("task", "a", 1, OPEN, {"v": "anew"})
    projector.apply(Batch(2, [("task", "a", 2, {"v": 2})]))
    assert reader.get("task", "a", 1) == Document("task", "a", 1, 2, {"v": "anew"})


def test_the_generation_before_stays_for_its_readers_until_the_next_switch(mongo: Mongo) -> None:
    old = ReadModels.ensure(mongo)
    written(old, {"v": 1})
    pinned = MongoDocuments(old.pinned())
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert pinned.get("task", "a") is not None
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert pinned.get("task", "a") is None
    assert made_for(mongo) == {2, 3}


def test_a_switch_drops_only_what_was_made_for_older_generations(mongo: Mongo) -> None:
    for _ in range(4):
        make_current(mongo, ReadModels.fresh(mongo).number)
    assert made_for(mongo) == {3, 4}
    ReadModels.fresh(mongo)  # a rebuild that was given up, or is under way
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert made_for(mongo) == {4, 5, 6}
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert made_for(mongo) == {6, 7}


def made_for(mongo: Mongo) -> set[int]:
    """Return the generations for which there are collections."""
    return {int(name.rpartition("-")[2]) for name in collections(mongo)}


def collections(mongo: Mongo) -> set[str]:
    return {name for name in mongo.database.list_collection_names() if name.startswith("read-") and name != STATE}


def test_a_rebuild_of_one_projection_shares_the_others(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    projector = written(read, {"v": 1}, {"v": 2})
    fresh = ReadModels.fresh(mongo, "history")
    assert fresh.positions() == {name: 0 if name == "history" else 2 for name in VERSIONS}
    assert fresh.history.name != read.history.name
    assert MongoDocuments(fresh).get("task", "a", 2) == Document("task", "a", 2, OPEN, {"v": 2})
    fresh.advance(2, ["history"])
    projector.switch(fresh.number)
    make_current(mongo, ReadModels.fresh(mongo, "history").number)
    make_current(mongo, ReadModels.fresh(mongo, "session").number)
    assert MongoDocuments(ReadModels.current(mongo)).get("task", "a", 2) == Document("task", "a", 2, OPEN, {"v": 2})
    assert collections(mongo) == {"read-documents-1", "read-documents-4", "read-history-3"}


def test_a_rebuild_beside_read_models_that_serve_no_more_is_refused(mongo: Mongo) -> None:
    ReadModels.ensure(mongo)
    slow = ReadModels.fresh(mongo, "history")
    quick = ReadModels.fresh(mongo)
    late = ReadModels.fresh(mongo, "session")
    make_current(mongo, quick.number)
    for number in (slow.number, late.number):
        with pytest.raises(NotAbleError, match="rebuild again"):
            make_current(mongo, number)
    assert serving(mongo) == quick.number


def test_another_version_of_one_projection_shares_the_others(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ReadModels.ensure(mongo).pinned()
    written(old, {"v": 1}, {"v": 2})
    newer = fold.VERSION + 1
    monkeypatch.setitem(fold.VERSIONS, "history", VERSIONS["history"] + 1)
    monkeypatch.setattr(read_models, "VERSION", newer)
    monkeypatch.setattr(read_models._pointer, "__defaults__", (newer,))
    new = ReadModels.ensure(mongo)
    assert new.number != old.number
    assert new.positions() == {name: 0 if name == "history" else 2 for name in VERSIONS}
    assert new.collection("tasks").name == old.collection("tasks").name
    assert new.history.name == f"read-history-{new.number}"
    before = collections(mongo)
    assert sweep(mongo, before=newer) == [fold.VERSION]
    assert before - collections(mongo) == {old.history.name}
    assert MongoDocuments(new).get("task", "a", 2) == Document("task", "a", 2, OPEN, {"v": 2})


def test_read_models_with_one_version_for_all_are_swept_with_their_programs(mongo: Mongo) -> None:
    state = mongo.collection(STATE)
    state.insert_many([{"_id": "v1", "last": 3, "generation": 3, "caught_up": True}, {"_id": "v1-3", "position": 7}])
    for part in ("documents", "history"):
        mongo.collection(f"read-v1-3.{part}").insert_one({"x": 1})
    read = ReadModels.ensure(mongo)
    make_current(mongo, ReadModels.fresh(mongo).number)
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert {"read-v1-3.documents", "read-v1-3.history"} <= collections(mongo)
    assert sweep(mongo) == [1]
    assert made_for(mongo) == {2, 3}
    assert read.progress() == 0
    assert sweep(mongo) == []


def test_a_switch_that_is_repeated_drops_nothing(mongo: Mongo) -> None:
    old = ReadModels.ensure(mongo)
    written(old, {"v": 1})
    pinned, fresh = MongoDocuments(old.pinned()), ReadModels.fresh(mongo).number
    make_current(mongo, fresh)
    make_current(mongo, fresh)
    assert pinned.get("task", "a") is not None


def test_a_rebuild_that_was_overtaken_by_another_does_not_serve(mongo: Mongo) -> None:
    ReadModels.ensure(mongo)
    slow, quick = ReadModels.fresh(mongo), ReadModels.fresh(mongo)
    make_current(mongo, quick.number)
    with pytest.raises(NotAbleError, match="younger"):
        make_current(mongo, slow.number)
    assert serving(mongo) == quick.number
    make_current(mongo, quick.number)


def test_a_projector_of_a_generation_that_serves_no_more_is_told_so(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    projector = written(read, {"v": 1})
    make_current(mongo, ReadModels.fresh(mongo).number)
    read.look()
    assert projector.is_superseded
    with pytest.raises(NotAbleError):
        projector.position()
    with pytest.raises(NotAbleError):
        projector.apply(Batch(2))


def test_only_older_versions_of_the_projections_are_swept(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    written(read, {"v": 1})
    assert sweep(mongo, before=fold.VERSION) == []
    assert serving(mongo) == read.number
    assert sweep(mongo, before=fold.VERSION + 1) == [fold.VERSION]
    assert serving(mongo) == 0
    assert mongo.database.list_collection_names() == [STATE]


def test_documents_and_the_indexes_of_the_history_are_compressed_by_zstd(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    stored = [mongo.database.command("collStats", it.name, indexDetails=True) for it in read.layouts]
    tables = {it["ns"].partition(".")[2]: [it["wiredTiger"], *it["indexDetails"].values()] for it in stored}
    found = {name: ["=zstd" in it["creationString"] for it in of_it] for name, of_it in tables.items()}
    assert found == {"read-documents-1": [True, False], "read-history-1": [True] * 4}
    assert [fault for it in read.layouts for fault in it.faults(mongo)] == []
