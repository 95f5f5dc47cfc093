"""Times in filters become positions: commits have both in the same order."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.filters.conditions import And, Between, Compare, Condition, Not, OneOf, Operator, Or
from projections.history_answers import in_positions

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-3, 12)
OPERATORS: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")


def at(offset: int) -> datetime:
    return BEGIN + timedelta(microseconds=offset)


def simple() -> st.SearchStrategy[Condition]:
    moments = OFFSETS.map(at)
    return st.one_of(
        st.builds(Compare, st.just("committed_at"), st.sampled_from(OPERATORS), moments),
        st.builds(OneOf, st.just("committed_at"), st.lists(moments, min_size=1, max_size=3).map(tuple)),
        st.builds(Between, st.just("committed_at"), moments, moments),
    )


CONDITIONS = st.recursive(
    simple(),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda one, other: And((one, other)), inner, inner),
        st.builds(lambda one, other: Or((one, other)), inner, inner),
    ),
    max_leaves=4,
)


def holds(condition: Condition, values: dict[str, Any]) -> bool:
    match condition:
        case And(parts):
            return all(holds(part, values) for part in parts)
        case Or(parts):
            return any(holds(part, values) for part in parts)
        case Not(part):
            return not holds(part, values)
        case Compare(name, operator, value):
            found = values[name]
            return bool(
                {"=": found == value, "!=": found != value}.get(operator)
                if operator in {"=", "!="}
                else {"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[operator]
            )
        case OneOf(name, some):
            return values[name] in some
        case Between(name, low, high):
            return bool(low <= values[name] <= high)
        case _:
            raise TypeError(condition)


@given(st.lists(st.integers(0, 9), min_size=1).map(sorted), CONDITIONS)
def test_a_time_means_the_commits_of_that_time(times: list[int], condition: Condition) -> None:
    moments = [at(offset) for offset in times]
    turned = in_positions(condition, lambda moment: bisect_right(moments, moment))
    for position, moment in enumerate(moments, 1):
        assert holds(turned, {"position": position}) == holds(condition, {"committed_at": moment})


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_times_beyond_all_commits_are_positions_too(moment: datetime) -> None:
    assert in_positions(Compare("committed_at", ">=", moment), lambda it: it.year) == Compare(
        "position", ">", max(moment.year, 1969)
    )


def test_other_conditions_stay_as_they_are() -> None:
    condition = Compare("model", "=", "svm")
    assert in_positions(condition, lambda _: 0) is condition
