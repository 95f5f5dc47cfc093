"""Keys of values: their order as bytes is that of the values; ranges hold what a condition holds for."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.read_models.history_rows import entries_within, entry, field, name_of
from adapters.history.ranges import Ranges, decode, encode, ranges_of
from projections.filters.conditions import Between, Compare, IsNone, IsSome, OneOf, Operator, Simple
from projections.jsonable import LARGEST, comparable
from tests.contracts.oracle import kind, ordered, same

WHOLE = st.integers(-LARGEST, LARGEST) | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, LARGEST, LARGEST - 1, 0])
NUMBERS = WHOLE | st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, 2.0**53, 2.0**63, -(2.0**63)])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(["", "\x00", "a\x00", "a"])
VALUES = NUMBERS | TEXTS | st.none() | st.booleans()
ROW_NUMBERS = st.integers(0, 2**62)
ORDERED = st.tuples(NUMBERS, NUMBERS) | st.tuples(TEXTS, TEXTS)
OPERATORS: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")


def rank(value: Any, *more: int) -> tuple[Any, ...]:
    special = (None, False, True)
    of_kind = kind(value)
    return (of_kind, next(i for i, it in enumerate(special) if it is value) if of_kind == 2 else value, *more)


def holds(condition: Simple, value: Any) -> bool:
    return any(low <= encode(value) < high for low, high in ranges_of(condition).ranges)


@given(VALUES, VALUES)
def test_keys_have_the_order_of_the_values(one: Any, other: Any) -> None:
    assert (encode(one) < encode(other)) == (rank(one) < rank(other))


@given(NUMBERS, NUMBERS)
def test_numbers_are_compared_exactly(one: float, other: float) -> None:
    assert (encode(one) < encode(other)) == (one < other)


@given(VALUES)
def test_a_key_tells_its_value_as_it_is_compared(value: Any) -> None:
    found = decode(encode(value))
    assert (type(found), found) == (type(comparable(value)), comparable(value))


@given(st.binary(max_size=12))
def test_a_key_that_no_value_has_is_reported_by_its_digits(key: bytes) -> None:
    value = decode(key)
    assert encode(value) == key or value == key.hex()


@given(VALUES, ORDERED, st.sampled_from(OPERATORS))
def test_ranges_hold_what_a_comparison_holds_for(value: Any, about: tuple[Any, Any], operator: Operator) -> None:
    constant = about[0]
    equal = same(value, constant)
    expected = {"=": equal, "!=": not equal}.get(operator)
    expected = ordered(value, operator, constant) if expected is None else expected
    assert holds(Compare("setting.C", operator, constant), value) == expected


@given(VALUES, ORDERED)
def test_a_range_between_two_holds_both_ends(value: Any, ends: tuple[Any, Any]) -> None:
    expected = ordered(value, ">=", ends[0]) and ordered(value, "<=", ends[1])
    assert holds(Between("setting.C", *ends), value) == expected


@given(VALUES, st.lists(NUMBERS | TEXTS | st.booleans(), min_size=1))
def test_ranges_hold_one_of_several(value: Any, some: list[Any]) -> None:
    assert holds(OneOf("setting.C", tuple(some)), value) == any(same(value, one) for one in some)


@given(VALUES)
def test_none_is_a_value_of_its_own(value: Any) -> None:
    assert (holds(IsNone("setting.C"), value), holds(IsSome("setting.C"), value)) == (value is None, value is not None)


@given(VALUES, ORDERED, ORDERED)
def test_conditions_on_one_name_are_one_range(value: Any, one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    first, second = Compare("setting.C", ">", one[0]), Compare("setting.C", "!=", other[0])
    both = ranges_of(first).intersect(ranges_of(second)).ranges
    inside = any(low <= encode(value) < high for low, high in both)
    assert inside == (holds(first, value) and holds(second, value))


def test_an_index_leads_to_one_range_or_to_values() -> None:
    compact: list[Simple] = [Compare("setting.C", ">", 1), OneOf("setting.C", (1, 3)), Between("setting.C", 1, 3)]
    assert all(ranges_of(it).is_compact for it in compact)
    assert not ranges_of(Compare("setting.C", "!=", 1)).is_compact
    assert ranges_of(OneOf("setting.C", (3, 1, 3))) == Ranges("setting.C", tuple(_key(value) for value in (1, 3)))


def _key(value: Any) -> tuple[bytes, bytes]:
    return encode(value), encode(value) + b"\x00"


@given(VALUES, ROW_NUMBERS, VALUES, ROW_NUMBERS)
def test_entries_have_the_order_of_values_then_rows(one: Any, here: int, other: Any, there: int) -> None:
    first, second = entry(encode(one).hex(), here), entry(encode(other).hex(), there)
    assert (first < second) == (rank(one, here) < rank(other, there))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_become_fields_and_come_back(name: str) -> None:
    made = field(name)
    assert name_of(made) == name
    assert not {".", "$", "\x00"} & set(made)


@given(VALUES, ROW_NUMBERS, st.integers(0, 2**62 - 1), st.integers(1, 2**62), st.integers(-9000, 9000))
def test_entries_of_a_window_are_told_from_others(value: Any, here: int, low: int, high: int, near: int) -> None:
    for n in (here, max(0, low + near), max(0, high + near)):
        found = re.search(entries_within(low, high), entry(encode(value).hex(), n)) is not None
        assert found == (low // 4096 <= n // 4096 <= (high - 1) // 4096)
