"""Conditions on time and position as a range of `n`: rows are numbered in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, cast

from projections.conditions import Between, Compare, Condition
from projections.ports import OPEN

SLOTS: Final = 1024  # numbers of a commit
LAST_SLOT: Final = OPEN // SLOTS - 1


class Times(Protocol):
    """What a store tells of the times of its rows."""

    def first(self, since: datetime, *, included: bool) -> int | None:
        """Return the number of the first row from a time on, or after it; None where there is none."""
        ...

    def last(self, until: datetime, *, included: bool) -> int | None:
        """Return the number of the last row up to a time, or before it; None where there is none."""
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


def window(times: Times, at: int, conditions: Sequence[Condition]) -> Window:
    """Narrow the rows known at a position by what the conditions say about time and position."""
    known = Window(0, min(at, LAST_SLOT) * SLOTS + SLOTS - 1, ())
    for condition in conditions:
        if isinstance(condition, Between) and condition.name in {"committed_at", "position"}:
            known = _narrow(times, known, Compare(condition.name, ">=", condition.low))
            known = _narrow(times, known, Compare(condition.name, "<=", condition.high))
        elif isinstance(condition, Compare) and condition.name in {"committed_at", "position"}:
            known = _narrow(times, known, condition)
        else:
            known = replace(known, rest=(*known.rest, condition))
    return known


def _narrow(times: Times, known: Window, condition: Compare) -> Window:
    if condition.operator == "!=":
        return replace(known, rest=(*known.rest, condition))
    low, high = known.low, known.high
    if condition.operator in {">", ">=", "="}:
        low = max(low, _first(times, condition))
    if condition.operator in {"<", "<=", "="}:
        high = min(high, _last(times, condition))
    return Window(low, high, known.rest)


def _first(times: Times, condition: Compare) -> int:
    included = condition.operator != ">"
    if condition.name == "position":
        after = cast("int", condition.value) + (not included)
        return max(0, min(after, OPEN // SLOTS)) * SLOTS
    found = times.first(cast("datetime", condition.value), included=included)
    return OPEN if found is None else found


def _last(times: Times, condition: Compare) -> int:
    included = condition.operator != "<"
    if condition.name == "position":
        until = cast("int", condition.value) - (not included)
        return max(-1, min(until, LAST_SLOT)) * SLOTS + SLOTS - 1
    found = times.last(cast("datetime", condition.value), included=included)
    return -1 if found is None else found
