"""Generations of read models on MongoDB: one serves, the one before stays for its readers, all older ones go."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models import generations as read_models
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels, drop, make_current, serving, sweep
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from domain.errors import NotAbleError
from projections import fold
from projections.ports import OPEN, Batch, Document, HistoryQuery


def written(read: ReadModels, *bodies: dict[str, Any], first: int = 1) -> ProjectorDocuments:
    documents = ProjectorDocuments(read)
    for position, body in enumerate(bodies, first):
        documents.apply(Batch(position, [("x", "a", position, body)]))
    return documents


def test_where_no_generation_serves_yet_all_is_empty(mongo: Mongo) -> None:
    read = ReadModels.current(mongo)
    documents = MongoDocuments(read)
    assert documents.position() == 0
    assert documents.get("x", "a") is None
    assert list(documents.versions("x")) == list(documents.all_versions()) == []
    assert MongoHistory(read).page(HistoryQuery(0)).rows == []
    assert documents.wait(1, 0) is False


def test_of_several_that_make_the_first_generation_one_wins(mongo: Mongo) -> None:
    made = [ReadModels.ensured(mongo).number for _ in range(3)]
    assert made == [1, 1, 1]
    ReadModels.fresh(mongo)
    assert serving(mongo) == 1


def test_readers_follow_a_switch(mongo: Mongo) -> None:
    reading = ReadModels.ensured(mongo)
    projector = written(reading, {"v": 1})
    reader = MongoDocuments(reading)
    assert reader.get("x", "a") == Document("x", "a", 1, OPEN, {"v": 1})
    rebuilt = ReadModels.fresh(mongo)
    written(rebuilt, {"v": "anew"})
    projector.switch(rebuilt)
    reading.look()
    assert reader.get("x", "a") == Document("x", "a", 1, OPEN, {"v": "anew"})
    projector.apply(Batch(2, [("x", "a", 2, {"v": 2})]))
    assert reader.get("x", "a", 1) == Document("x", "a", 1, 2, {"v": "anew"})


def test_the_generation_before_stays_for_its_readers_until_the_next_switch(mongo: Mongo) -> None:
    old = ReadModels.ensured(mongo)
    written(old, {"v": 1})
    pinned = MongoDocuments(old.pinned())
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert pinned.get("x", "a") is not None
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert pinned.get("x", "a") is None
    assert not [name for name in mongo.database.list_collection_names() if name.startswith("read-v1-1.")]


def test_a_switch_drops_only_what_is_there(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        make_current(mongo, ReadModels.fresh(mongo).number)
    dropped = list[int]()
    monkeypatch.setattr(read_models, "drop", lambda _, number: dropped.append(number))
    ReadModels.fresh(mongo)  # a rebuild that was given up: nothing but indexes
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert dropped == [3]
    make_current(mongo, ReadModels.fresh(mongo).number)
    assert dropped == [3, 3, 4, 5]


def test_a_switch_that_is_repeated_drops_nothing(mongo: Mongo) -> None:
    old = ReadModels.ensured(mongo)
    written(old, {"v": 1})
    pinned, fresh = MongoDocuments(old.pinned()), ReadModels.fresh(mongo).number
    make_current(mongo, fresh)
    make_current(mongo, fresh)
    assert pinned.get("x", "a") is not None


def test_a_rebuild_that_was_overtaken_by_another_does_not_serve(mongo: Mongo) -> None:
    ReadModels.ensured(mongo)
    slow, quick = ReadModels.fresh(mongo), ReadModels.fresh(mongo)
    make_current(mongo, quick.number)
    with pytest.raises(NotAbleError, match="younger"):
        make_current(mongo, slow.number)
    assert serving(mongo) == quick.number
    make_current(mongo, quick.number)


def test_a_projector_of_a_generation_that_serves_no_more_is_told_so(mongo: Mongo) -> None:
    read = ReadModels.ensured(mongo)
    projector = written(read, {"v": 1})
    make_current(mongo, ReadModels.fresh(mongo).number)
    read.look()
    assert projector.is_superseded
    with pytest.raises(NotAbleError):
        projector.position()
    with pytest.raises(NotAbleError):
        projector.apply(Batch(2))


def test_only_older_versions_of_the_projections_are_swept(mongo: Mongo) -> None:
    read = ReadModels.ensured(mongo)
    written(read, {"v": 1})
    sweep(mongo, before=fold.VERSION)
    assert serving(mongo) == read.number
    sweep(mongo, before=fold.VERSION + 1)
    assert serving(mongo) == 0
    assert mongo.database.list_collection_names() == ["read-models"]


def test_a_dropped_generation_is_gone_whole(mongo: Mongo) -> None:
    read = ReadModels.ensured(mongo)
    written(read, {"v": 1})
    drop(mongo, read.number)
    assert read.progress() == 0
    assert MongoDocuments(read).get("x", "a") is None
