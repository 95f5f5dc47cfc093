"""Filter trees as MongoDB filters over a row, and as spans of keys where an index can lead to the rows.

Tests look at `f`, which no index covers, so that only the index that was chosen is ever walked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.history_indexes import NUMBER
from adapters.distributed.read_models.history_keys import FALSE, NONE, Span, above, below, equal, field
from adapters.distributed.read_models.history_rows import microseconds
from adapters.history.conditions import is_fact
from adapters.history.window import SLOTS
from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or, Simple
from projections.jsonable import within_64_bits

OPERATORS: Final = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
MOST_POSITION: Final = 2**52


def holds(condition: Condition) -> Fields:
    """Say that a condition holds for a row."""
    if isinstance(condition, And):
        return {"$and": [holds(part) for part in condition.parts]}
    if isinstance(condition, Or):
        return {"$or": [holds(part) for part in condition.parts]}
    if isinstance(condition, Not):
        return {"$nor": [holds(condition.part)]}
    if is_fact(condition.name):
        return _fact(condition)
    return _position(condition) if condition.name == "position" else column(condition)


def has(name: str) -> Fields:
    """Say that a row has a fact of this name."""
    return {f"f.{field(name)}": {"$exists": True}}


def lacks(name: str) -> Fields:
    """Say that a row has no fact of this name."""
    return {f"f.{field(name)}": {"$exists": False}}


def spans(condition: Simple) -> list[Span]:
    """Return where the keys of the rows are for which a condition on a fact holds that can lead."""
    if isinstance(condition, IsNone):
        return [(NONE, FALSE)]
    if isinstance(condition, OneOf):
        return [equal(value) for value in condition.values]
    if isinstance(condition, Between):
        low, high = above(condition.low, included=True), below(condition.high, included=True)
        return [(low[0], high[1])]
    if isinstance(condition, Compare):
        return [SPANS[condition.operator](condition.value)]
    raise TypeError(condition)


SPANS: Final[dict[str, Callable[[Any], Span]]] = {
    "=": equal,
    "<": lambda value: below(value, included=False),
    "<=": lambda value: below(value, included=True),
    ">": lambda value: above(value, included=False),
    ">=": lambda value: above(value, included=True),
}


def _fact(condition: Simple) -> Fields:
    name, path = condition.name, f"f.{field(condition.name)}"
    if isinstance(condition, IsNone):
        return lacks(name) if name.startswith("measure.") else {path: {"$type": "null"}}
    if isinstance(condition, IsSome):
        known = has(name)
        return known if name.startswith("measure.") else {"$and": [known, {path: {"$not": {"$type": "null"}}}]}
    if isinstance(condition, Compare) and condition.operator == "!=":
        return {"$and": [has(name), {path: {"$ne": bound(condition.value)}}]}
    return {path: _test(condition)}


def column(condition: Simple) -> Fields:
    """Say that a condition on a column holds for a row."""
    path = "at" if condition.name == "committed_at" else condition.name
    if isinstance(condition, (IsNone, IsSome)):  # every row has every column
        return {path: {"$exists": isinstance(condition, IsSome)}}
    if isinstance(condition, Compare) and condition.operator == "!=":
        return {path: {"$ne": bound(condition.value)}}
    return {path: _test(condition)}


def _test(condition: Compare | OneOf | Between) -> Fields:
    if isinstance(condition, OneOf):
        return {"$in": [bound(value) for value in condition.values]}
    if isinstance(condition, Between):
        return {"$gte": bound(condition.low), "$lte": bound(condition.high)}
    if condition.operator == "=":
        return {"$eq": bound(condition.value)}
    return {OPERATORS[condition.operator]: bound(condition.value)}


def _position(condition: Simple) -> Fields:
    """Test a position by the numbers of its rows."""
    if isinstance(condition, (IsNone, IsSome)):
        return {NUMBER: {"$exists": isinstance(condition, IsSome)}}
    if isinstance(condition, OneOf):
        return {"$or": [_position(Compare("position", "=", value)) for value in condition.values]}
    if isinstance(condition, Between):
        parts = (Compare("position", ">=", condition.low), Compare("position", "<=", condition.high))
        return {"$and": [_position(part) for part in parts]}
    first = max(-1, min(cast("int", condition.value), MOST_POSITION)) * SLOTS
    tests: dict[str, Fields] = {
        "<": {"$lt": first},
        "<=": {"$lt": first + SLOTS},
        ">": {"$gte": first + SLOTS},
        ">=": {"$gte": first},
    }
    same = {NUMBER: {"$gte": first, "$lt": first + SLOTS}}
    if condition.operator in tests:
        return {NUMBER: tests[condition.operator]}
    return same if condition.operator == "=" else {"$nor": [same]}


def bound(value: Any) -> Any:
    """Return a constant as it is compared with stored values."""
    return microseconds(value) if isinstance(value, datetime) else within_64_bits(value)
