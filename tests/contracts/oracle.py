"""What a filter means, said once more in plain Python: the oracle that every history adapter is held against."""

from __future__ import annotations

import operator
from functools import cmp_to_key
from typing import Any

from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or
from projections.ports import HistoryQuery, HistoryRow

ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
ABSENT = object()


def value_of(row: HistoryRow, name: str) -> Any:
    """Return a fact of a row or its position, ABSENT where it has none."""
    return row.n // 1024 if name == "position" else row.facts.get(name, ABSENT)


def holds(condition: Condition, row: HistoryRow) -> bool:
    """Evaluate a condition the naive way."""
    match condition:
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case _:
            value = value_of(row, condition.name)
            return value is not ABSENT and _simple(condition, value)


def _simple(condition: Any, value: Any) -> bool:
    match condition:
        case IsNone() | IsSome():
            return (value is None) == isinstance(condition, IsNone)
        case OneOf(_, values):
            return any(same(value, one) for one in values)
        case Between(_, low, high):
            return ordered(value, ">=", low) and ordered(value, "<=", high)
        case Compare(_, "=", other):
            return same(value, other)
        case Compare(_, "!=", other):
            return not same(value, other)
        case _:
            return ordered(value, condition.operator, condition.value)


def kind(value: Any) -> int:
    """Rank types as values are sorted: numbers, text, then none and truth values."""
    if value is None or isinstance(value, bool):
        return 2
    return 1 if isinstance(value, str) else 0


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of one type."""
    if kind(one) == 2 or kind(other) == 2:
        return one is other
    return kind(one) == kind(other) and bool(one == other)


def ordered(one: Any, sign: str, other: Any) -> bool:
    """Whether two values of one ordered type stand so."""
    return kind(one) == kind(other) != 2 and bool(ORDER[sign](one, other))


def page_of(rows: list[HistoryRow], query: HistoryQuery) -> list[str]:
    """Return the experiments that all pages of a query hold, in order."""
    known = [row for row in rows if row.from_ <= query.at < row.to and (query.withdrawn or not row.withdrawn)]
    passed = [row for row in known if query.where is None or holds(query.where, row)]
    name, sign = query.sort.name, -1 if query.sort.descending else 1
    having = [row for row in passed if name == "n" or value_of(row, name) is not ABSENT]
    lacking = [row for row in passed if row not in having]
    having.sort(key=cmp_to_key(lambda a, b: sign * _compare(key(a, name), key(b, name))))
    lacking.sort(key=lambda row: sign * row.n)
    return [row.body["experiment"] for row in having + lacking]


def key(row: HistoryRow, name: str) -> tuple[Any, ...]:
    """Return what a row is sorted by."""
    value = 0 if name == "n" else value_of(row, name)
    rank = kind(value)
    comparable = (None, False, True).index(value) if rank == 2 else value
    return (rank, comparable, row.n)


def _compare(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    return (one > other) - (one < other)
