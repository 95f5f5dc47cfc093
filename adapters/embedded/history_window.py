"""Conditions on time and position as a range of `n`: rows are numbered in the order of their commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from adapters.embedded.history_values import encode
from projections.conditions import Between, Compare, Condition
from projections.ports import OPEN

FIRST = "SELECT n FROM history INDEXED BY history_at WHERE at {}? ORDER BY at, n LIMIT 1"
LAST = "SELECT n FROM history INDEXED BY history_at WHERE at {}? ORDER BY at DESC, n DESC LIMIT 1"
SLOTS = 1024


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with `low` <= n <= `high`; `rest` are the conditions that say more than that."""

    low: int
    high: int
    rest: tuple[Condition, ...]
    narrowed: bool

    @property
    def is_empty(self) -> bool:
        """Whether no row can be in it."""
        return self.low > self.high


def window(connection: sqlite3.Connection, at: int, conditions: Sequence[Condition]) -> Window:
    """Narrow the rows known at a position by what the conditions say about time and position."""
    known = Window(0, min(at, OPEN // SLOTS - 1) * SLOTS + SLOTS - 1, (), narrowed=False)
    for condition in conditions:
        if isinstance(condition, Between) and condition.name in {"committed_at", "position"}:
            known = _narrow(connection, known, Compare(condition.name, ">=", condition.low))
            known = _narrow(connection, known, Compare(condition.name, "<=", condition.high))
        elif isinstance(condition, Compare) and condition.name in {"committed_at", "position"}:
            known = _narrow(connection, known, condition)
        else:
            known = replace(known, rest=(*known.rest, condition))
    return known


def _narrow(connection: sqlite3.Connection, known: Window, condition: Compare) -> Window:
    if condition.operator == "!=":
        return replace(known, rest=(*known.rest, condition))
    low, high = known.low, known.high
    if condition.operator in {">", ">=", "="}:
        low = max(low, _first(connection, condition))
    if condition.operator in {"<", "<=", "="}:
        high = min(high, _last(connection, condition))
    return Window(low, high, known.rest, narrowed=True)


def _first(connection: sqlite3.Connection, condition: Compare) -> int:
    if condition.name == "position":
        after = cast("int", condition.value) + (condition.operator == ">")
        return max(0, min(after, OPEN // SLOTS)) * SLOTS
    sign = ">" if condition.operator == ">" else ">="
    row = connection.execute(FIRST.format(sign), (encode(condition.value),)).fetchone()
    return int(row[0]) if row else OPEN


def _last(connection: sqlite3.Connection, condition: Compare) -> int:
    if condition.name == "position":
        until = cast("int", condition.value) - (condition.operator == "<")
        return max(-1, min(until, OPEN // SLOTS - 1)) * SLOTS + SLOTS - 1
    sign = "<" if condition.operator == "<" else "<="
    row = connection.execute(LAST.format(sign), (encode(condition.value),)).fetchone()
    return int(row[0]) if row else -1
