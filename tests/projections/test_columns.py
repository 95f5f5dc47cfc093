"""A column of the history is declared once: rows, filters, sort keys and refusals follow the declaration."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import FilterError
from projections import history
from projections.filters.columns import COLUMNS, HistoryColumn
from projections.filters.conditions import Compare, IsNone
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import Vocabulary
from projections.history_answers import HistoryRequest
from projections.ports import Sort
from projections.queries import Queries
from projections.visibility import Viewer
from tests.projections.seal import OpenSeal
from tests.projections.world import World

NAMES = Vocabulary({}, frozenset(), frozenset())
A, B = "a" * 16, "b" * 16


@pytest.fixture
def test_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more column, as a line more in `projections/filters/columns.py` would declare it."""
    monkeypatch.setitem(COLUMNS, "test_size", HistoryColumn("test_size", "number", ("test_size",)))
    monkeypatch.setattr(history, "SHOWN", (*history.SHOWN, "test_size"))


@pytest.mark.usefixtures("test_size")
def test_a_declared_column_is_in_rows_filters_and_sort_keys(world: World) -> None:
    for name, number in ((A, 7), (B, 8)):
        world.train("ana", name, test_size=number)
    world.commit("ana", [A, B])
    world.catch_up()
    queries = Queries(world.documents, world.history, world.feed, OpenSeal())

    def sizes(**request: Any) -> list[int]:
        answer = queries.history(Viewer("ana", ("analyst",)), HistoryRequest(**request))
        return [row["test_size"] for row in answer["experiments"]]

    assert sizes(where="test_size > 7") == [8]
    assert sizes(where="test_size between 7 and 7.5") == [7]
    assert (sizes(sort="test_size"), sizes(sort="-test_size")) == ([7, 8], [8, 7])


@pytest.mark.usefixtures("test_size")
def test_its_kind_says_which_values_it_takes_and_whether_it_sorts() -> None:
    assert parse("test_size = 1.5", NAMES) == Compare("test_size", "=", 1.5)
    assert parse("test_size = none", NAMES) == IsNone("test_size")
    assert parse_sort("-test_size", NAMES) == Sort("test_size", descending=True)
    with pytest.raises(FilterError) as refused:
        parse("test_size = high", NAMES)
    assert refused.value.facts["expected"] == ["a number", "none"]
    with pytest.raises(FilterError) as refused:
        parse_sort("actor", NAMES)
    assert {"a measure", "a setting", "position", "test_size"} <= {*refused.value.facts["expected"]}
