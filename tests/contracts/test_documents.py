"""Versioned documents: what was written is true until the next version; a batch is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import NotAbleError
from projections.ports import OPEN, Batch, Document
from tests.contracts.read_models import STORES, Read, Store, opened

BODIES = st.none() | st.fixed_dictionaries(
    {"value": st.integers() | st.text() | st.floats(allow_nan=False) | st.none()}
)
IDS = ("a", "a/1", "ab", "b", "é")
CHANGES = st.lists(st.tuples(st.sampled_from(["task", "session"]), st.sampled_from(IDS), BODIES), max_size=12)


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(request.param, tmp_path_factory.mktemp("read"), lambda: request.getfixturevalue("mongodb")) as store:
        yield store


@pytest.fixture
def read(store: Store) -> Iterator[Read]:
    with store.empty() as read:
        yield read


def write(read: Read, position: int, *changes: tuple[str, str, dict[str, Any] | None]) -> None:
    read.documents.apply(Batch(position, [(kind, id, position, body) for kind, id, body in changes]))


def test_any_position_shows_what_was_true_then(store: Store) -> None:
    @given(CHANGES, st.integers(1, 4))
    @settings(max_examples=int(60 * store.share))
    def shows(changes: list[tuple[str, str, dict[str, Any] | None]], size: int) -> None:
        with store.empty() as read:
            check_all(read, changes, size)

    shows()


def check_all(read: Read, changes: list[tuple[str, str, dict[str, Any] | None]], size: int) -> None:
    numbered = [(kind, id, position, body) for position, (kind, id, body) in enumerate(changes, 1)]
    for begin in range(0, len(numbered), size):
        piece = numbered[begin : begin + size]
        read.documents.apply(Batch(piece[-1][2], piece))
    for at in range(len(numbered) + 1):
        check_at(read, at, numbered)
    for document in read.documents.list("task"):
        assert document.to == OPEN
        assert document == read.documents.get("task", document.id)


def check_at(read: Read, at: int, changes: list[tuple[str, str, int, dict[str, Any] | None]]) -> None:
    expected: dict[tuple[str, str], dict[str, Any] | None] = {}
    expected.update({(kind, id): body for kind, id, position, body in changes if position <= at})
    for kind in ("task", "session"):
        known = {id: body for (of, id), body in sorted(expected.items()) if of == kind and body is not None}
        assert {document.id: document.body for document in read.documents.versions(kind, at)} == known
        assert [document.id for document in read.documents.list(kind, "a", at)] == [id for id in known if id[0] == "a"]
        found = {id: read.documents.get(kind, id, at) for id in IDS}
        assert {id: document.body for id, document in found.items() if document} == known


def test_lists_go_on_after_an_id(read: Read) -> None:
    write(read, 1, *(("task", id, {}) for id in ("a", "b", "c")), ("session", "b", {}))
    assert [document.id for document in read.documents.list("task", after="a", limit=1)] == ["b"]
    assert [document.id for document in read.documents.list("task", after="a", limit=9, at=1)] == ["b", "c"]
    assert list(read.documents.list("task", after="a", limit=9, at=0)) == []


def test_closed_versions_are_kept(read: Read) -> None:
    write(read, 1, ("task", "a", {"v": 1}))
    write(read, 4, ("task", "a", {"v": 2}))
    write(read, 6, ("task", "a", None))
    assert read.documents.get("task", "a") is None
    expected = [Document("task", "a", 1, 4, {"v": 1}), Document("task", "a", 4, 6, {"v": 2})]
    assert list(read.documents.all_versions()) == expected
    encoded = [(it.kind, it.id, it.from_, it.to, read.documents.encode(it.body)) for it in expected]
    assert list(read.documents.all_encoded()) == encoded


def test_a_batch_that_cannot_be_written_leaves_nothing(read: Read) -> None:
    write(read, 1, ("task", "a", {"v": 1}))
    with pytest.raises(NotAbleError):  # two versions of one document from one position
        write(read, 2, ("task", "a", {"v": 2}), ("task", "b", {"v": 2}), ("task", "b", {"v": 3}))
    assert read.documents.position() == 1
    assert [document.body for document in read.documents.list("task")] == [{"v": 1}]


def test_who_waits_is_woken(read: Read) -> None:
    reached: list[bool] = []
    waiting = Thread(target=lambda: reached.append(read.documents.wait(2, 30)))
    waiting.start()
    write(read, 1)
    write(read, 2)
    waiting.join()
    assert reached == [True]
    assert read.documents.wait(3, 0) is False
