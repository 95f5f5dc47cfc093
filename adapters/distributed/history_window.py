"""Conditions on time and position as a range of `n`: rows are numbered in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from pymongo.collection import Collection

from adapters.distributed.history_filter import SLOTS, bound
from adapters.distributed.history_indexes import BY_TIME, NUMBER
from adapters.distributed.mongo import Fields
from projections.conditions import Between, Compare, Condition
from projections.ports import OPEN

LAST_SLOT = OPEN // SLOTS - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with `low` <= n <= `high`; `rest` are the conditions that say more than that."""

    low: int
    high: int
    rest: tuple[Condition, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no row can be in it."""
        return self.low > self.high


def window(rows: Collection[Fields], at: int, conditions: Sequence[Condition]) -> Window:
    """Narrow the rows known at a position by what the conditions say about time and position."""
    known = Window(0, min(at, LAST_SLOT) * SLOTS + SLOTS - 1, ())
    for condition in conditions:
        if isinstance(condition, Between) and condition.name in {"committed_at", "position"}:
            known = _narrow(rows, known, Compare(condition.name, ">=", condition.low))
            known = _narrow(rows, known, Compare(condition.name, "<=", condition.high))
        elif isinstance(condition, Compare) and condition.name in {"committed_at", "position"}:
            known = _narrow(rows, known, condition)
        else:
            known = replace(known, rest=(*known.rest, condition))
    return known


def _narrow(rows: Collection[Fields], known: Window, condition: Compare) -> Window:
    if condition.operator == "!=":
        return replace(known, rest=(*known.rest, condition))
    low, high = known.low, known.high
    if condition.operator in {">", ">=", "="}:
        low = max(low, _first(rows, condition))
    if condition.operator in {"<", "<=", "="}:
        high = min(high, _last(rows, condition))
    return Window(low, high, known.rest)


def _first(rows: Collection[Fields], condition: Compare) -> int:
    if condition.name == "position":
        after = cast("int", condition.value) + (condition.operator == ">")
        return max(0, min(after, OPEN // SLOTS)) * SLOTS
    sign = "$gt" if condition.operator == ">" else "$gte"
    return _nearest(rows, {sign: bound(condition.value)}, 1, OPEN)


def _last(rows: Collection[Fields], condition: Compare) -> int:
    if condition.name == "position":
        until = cast("int", condition.value) - (condition.operator == "<")
        return max(-1, min(until, LAST_SLOT)) * SLOTS + SLOTS - 1
    sign = "$lt" if condition.operator == "<" else "$lte"
    return _nearest(rows, {sign: bound(condition.value)}, -1, -1)


def _nearest(rows: Collection[Fields], times: Fields, direction: int, otherwise: int) -> int:
    """Return the number of the first row in the order of time; known from the index alone."""
    order = [("at", direction), (NUMBER, direction)]
    found = list(rows.find({"at": times}, {NUMBER: 1}).sort(order).hint(list(BY_TIME)).limit(1))
    return int(found[0]["_id"]["n"]) if found else otherwise
