"""Versions of documents as rows: differences to the one before, a whole one now and then, nothing lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.versions import MOST_DIFFERENCES, difference
from projections.ports import OPEN, Batch

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(), it, max_size=3))
BODIES = st.dictionaries(st.sampled_from("abcde"), VALUES)
CHANGES = st.dictionaries(st.sampled_from("abcdefg"), VALUES)


@given(BODIES, BODIES | CHANGES)
def test_a_difference_makes_the_version_byte_for_byte(before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = difference(before, after)
    if changed is not None:
        assert to_json({**before, **changed}) == to_json(after)


@given(BODIES, CHANGES)
def test_what_is_only_added_and_changed_is_always_a_difference(before: dict[str, Any], change: dict[str, Any]) -> None:
    assert difference(before, {**before, **change}) is not None


@pytest.mark.parametrize(("before", "after"), [(1, 1.0), (1, True), (0.0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1})])
def test_equal_in_python_is_not_yet_the_same_json(before: Any, after: Any) -> None:
    assert difference({"it": before}, {"it": after}) == {"it": after}


def test_what_goes_or_moves_is_no_difference() -> None:
    assert difference({"a": 1, "b": 2}, {"a": 1}) is None
    assert difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_a_long_life_is_stored_as_differences_and_some_whole_versions(at_once: int) -> None:
    read = ReadDatabase(":memory:")
    documents = SqliteDocuments(read)
    bodies = [{"long": "text" * 100, "number": number} for number in range(100)]
    before: dict[str, Any] | None = None
    for begin in range(0, 100, at_once):
        piece = range(begin, min(begin + at_once, 100))
        versions: list[Any] = [("task", "a", number + 1, bodies[number]) for number in piece]
        documents.apply(Batch(piece[-1] + 1, versions, before={("task", "a"): before}))
        before = bodies[piece[-1]]
    with read.reading() as connection:
        stored = connection.execute("SELECT since, whole, length(body) FROM document ORDER BY since").fetchall()
    assert [since for since, whole, _ in stored if since == whole] == [*range(1, 101, MOST_DIFFERENCES + 1)]
    assert all(length < 20 for since, whole, length in stored if since != whole)
    assert [it.body for it in documents.all_versions()] == bodies
    assert [encoded for *_, encoded in documents.all_encoded()] == [documents.encode(body) for body in bodies]
    for number, body in enumerate(bodies, 1):
        assert [it.body for it in documents.list("task", at=number)] == [body]
        found = documents.get("task", "a", number)
        assert found is not None
        assert (found.from_, found.to, found.body) == (number, number + 1 if number < 100 else OPEN, body)
    read.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE document SET whole = 2 WHERE since = 3",
        "UPDATE document SET whole = 1 WHERE since = 2",
        "UPDATE document SET body = '[]' WHERE since = 1",
        "UPDATE document SET body = '{' WHERE since = 2",
        "DELETE FROM document WHERE since = 1",
    ],
)
def test_damage_shows_in_what_verify_reads(damage: str) -> None:
    read = ReadDatabase(":memory:")
    documents = SqliteDocuments(read)
    bodies = [{"a": number, "b": 0} for number in range(3)]
    versions: list[Any] = [("task", "a", number, body) for number, body in enumerate(bodies, 1)]
    documents.apply(Batch(3, versions, before={("task", "a"): None}))
    expected, encoded = [*documents.all_versions()], [*documents.all_encoded()]
    with read.writing() as connection:
        connection.execute(damage)
    if damage.endswith("whole = 1 WHERE since = 2"):  # as it was
        assert [*documents.all_versions()] == expected
    else:
        assert [*documents.all_versions()] != expected
        assert [*documents.all_encoded()] != encoded
    read.close()
