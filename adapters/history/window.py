"""Conditions on time and position as a range of `n`: rows are numbered in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, cast

from projections.filters.conditions import Between, Compare, Condition
from projections.ports import OPEN

SLOTS: Final = 1024  # numbers of a commit
LAST_SLOT: Final = OPEN // SLOTS - 1


class Numbers(Protocol):
    """What a store tells of the numbers of its rows."""

    def first(self, since: datetime, *, included: bool) -> int | None:
        """Return the number of the first row from a time on, or after it; None where there is none."""
        ...

    def last(self, until: datetime, *, included: bool) -> int | None:
        """Return the number of the last row up to a time, or before it; None where there is none."""
        ...

    def newest(self) -> int:
        """Return the number of the newest row, 0 where there is none."""
        ...


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

    def share(self, newest: int) -> float:
        """Estimate which part of all rows is in it, from the numbers alone."""
        return max(0.0, (min(self.high, newest) - self.low) / max(newest, 1))


def window(numbers: Numbers, at: int, conditions: Sequence[Condition]) -> Window:
    """Narrow the rows known at a position by what the conditions say about time and position."""
    known = Window(0, min(at, LAST_SLOT) * SLOTS + SLOTS - 1, ())
    for condition in conditions:
        if isinstance(condition, Between) and condition.name in {"committed_at", "position"}:
            known = _narrow(numbers, known, Compare(condition.name, ">=", condition.low))
            known = _narrow(numbers, known, Compare(condition.name, "<=", condition.high))
        elif isinstance(condition, Compare) and condition.name in {"committed_at", "position"}:
            known = _narrow(numbers, known, condition)
        else:
            known = replace(known, rest=(*known.rest, condition))
    return known


def _narrow(numbers: Numbers, known: Window, condition: Compare) -> Window:
    if condition.operator == "!=":
        return replace(known, rest=(*known.rest, condition))
    low, high = known.low, known.high
    if condition.operator in {">", ">=", "="}:
        low = max(low, _first(numbers, condition))
    if condition.operator in {"<", "<=", "="}:
        high = min(high, _last(numbers, condition))
    return Window(low, high, known.rest)


def _first(numbers: Numbers, condition: Compare) -> int:
    included = condition.operator != ">"
    if condition.name == "position":
        after = cast("int", condition.value) + (not included)
        return max(0, min(after, OPEN // SLOTS)) * SLOTS
    found = numbers.first(cast("datetime", condition.value), included=included)
    return OPEN if found is None else found


def _last(numbers: Numbers, condition: Compare) -> int:
    included = condition.operator != "<"
    if condition.name == "position":
        until = cast("int", condition.value) - (not included)
        return max(-1, min(until, LAST_SLOT)) * SLOTS + SLOTS - 1
    found = numbers.last(cast("datetime", condition.value), included=included)
    return -1 if found is None else found
