"""Keys of facts: their order as texts is that of values and rows; their spans hold what a comparison holds for."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.read_models.history_filter import spans
from adapters.distributed.read_models.history_keys import field, key, name_of, within
from projections.filters.conditions import Between, Compare, Operator
from projections.jsonable import LARGEST
from tests.contracts.oracle import kind, ordered, same

WHOLE = st.integers(-LARGEST, LARGEST) | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, LARGEST, LARGEST - 1, 0])
NUMBERS = WHOLE | st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, 2.0**53, 2.0**63, -(2.0**63)])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["", "\x00", "\x01", "a\x00", "a"]
)
VALUES = NUMBERS | TEXTS | st.none() | st.booleans()
PLACES = st.tuples(st.integers(0, 2**62), st.integers(0, 2**62))
ORDERED = st.tuples(NUMBERS, NUMBERS) | st.tuples(TEXTS, TEXTS)
ONE_PLACE = (1, 1)
OPERATORS: tuple[Operator, ...] = ("=", "<", "<=", ">", ">=")


def rank(value: Any, place: tuple[int, int]) -> tuple[Any, ...]:
    special = (None, False, True)
    of_kind = kind(value)
    return (of_kind, next(i for i, it in enumerate(special) if it is value) if of_kind == 2 else value, *place)


@given(VALUES, PLACES, VALUES, PLACES)
def test_keys_are_ordered_as_values_then_rows(
    one: Any, here: tuple[int, int], other: Any, there: tuple[int, int]
) -> None:
    first, second = key(one, *here).encode(), key(other, *there).encode()
    assert (first < second) == (rank(one, here) < rank(other, there))


@given(NUMBERS, NUMBERS, PLACES, PLACES)
def test_numbers_are_compared_exactly(one: float, other: float, here: tuple[int, int], there: tuple[int, int]) -> None:
    assert (key(one, *here) < key(other, *there)) == ((one, here) < (other, there))


@given(VALUES, ORDERED, st.sampled_from(OPERATORS))
def test_a_span_holds_what_the_comparison_holds_for(value: Any, about: tuple[Any, Any], operator: Operator) -> None:
    constant = about[0]
    (low, high), *_ = spans(Compare("setting.C", operator, constant))
    expected = same(value, constant) if operator == "=" else ordered(value, operator, constant)
    assert (low <= key(value, *ONE_PLACE) < high) == expected


@given(VALUES, ORDERED)
def test_a_span_between_two_holds_both_ends(value: Any, ends: tuple[Any, Any]) -> None:
    (low, high), *_ = spans(Between("setting.C", *ends))
    expected = ordered(value, ">=", ends[0]) and ordered(value, "<=", ends[1])
    assert (low <= key(value, *ONE_PLACE) < high) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_become_fields_and_come_back(name: str) -> None:
    made = field(name)
    assert name_of(made) == name
    assert not {".", "$", "\x00"} & set(made)


@given(VALUES, PLACES, st.integers(0, 2**62 - 1), st.integers(0, 2**62 - 1), st.integers(-40, 40))
def test_keys_of_a_window_are_told_from_others(
    value: Any, here: tuple[int, int], low: int, high: int, near: int
) -> None:
    for n in (here[0], max(0, low + near), max(0, high + near)):
        found = re.search(within(low, high), key(value, n, here[1])) is not None
        assert found == (low // 16 <= n // 16 <= high // 16)
