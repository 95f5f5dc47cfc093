"""A process knows which documents it never wrote, without a question and in a fixed amount of memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models import written_ids
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.read_models.written_ids import WrittenIds
from projections.ports import OPEN, Batch, Document

NAMES = st.tuples(st.sampled_from(["task", "session"]), st.text(max_size=20))


@given(st.lists(NAMES))
def test_what_was_written_is_never_new(names: list[tuple[str, str]]) -> None:
    written = WrittenIds()
    for name in names:
        written.add(*name)
    assert all(name in written for name in names)


def test_few_of_the_new_ones_look_as_if_they_had_been_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_ids, "BITS", 2**17)
    written = WrittenIds()
    for number in range(10_000):
        written.add("task", f"t{number}")
    assert sum(("task", f"u{number}") in written for number in range(10_000)) < 200


def test_new_documents_of_empty_read_models_cost_no_question(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = ProjectorDocuments(ReadModels.fresh(mongo))
    asked: list[str] = []
    monkeypatch.setattr(MongoDocuments, "get", lambda *of_it: asked.append(str(of_it)))
    assert documents.get("task", "a") is None
    documents.apply(Batch(1, [("task", "a", 1, {"v": 1})]))
    assert asked == []
    monkeypatch.undo()
    assert documents.get("task", "a") == Document("task", "a", 1, OPEN, {"v": 1})


def test_a_process_that_did_not_begin_with_nothing_asks(mongo: Mongo) -> None:
    read = ReadModels.fresh(mongo)
    ProjectorDocuments(read).apply(Batch(1, [("task", "a", 1, {"v": 1})]))
    later = ProjectorDocuments(read)
    assert later.get("task", "a") == Document("task", "a", 1, OPEN, {"v": 1})
    later.apply(Batch(2, [("task", "a", 2, {"v": 2})]))
    assert [it.to for it in later.all_versions()] == [2, OPEN]
