"""Whether a condition holds for one row, where no store answers it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or, Simple

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(condition: Condition, fact: Callable[[str], Any]) -> bool:
    """Evaluate a condition; `fact` returns the row's value of a name, which it has."""
    match condition:
        case And(parts):
            return all(holds(part, fact) for part in parts)
        case Or(parts):
            return any(holds(part, fact) for part in parts)
        case Not(part):
            return not holds(part, fact)
        case _:
            return _holds_for(condition, fact(condition.name))


def _holds_for(condition: Simple, value: Any) -> bool:
    match condition:
        case IsNone() | IsSome():
            return (value is None) == isinstance(condition, IsNone)
        case OneOf(_, values):
            return any(_is(value, "=", one) for one in values)
        case Between(_, low, high):
            return _is(value, ">=", low) and _is(value, "<=", high)
        case Compare(_, sign, other):
            return _is(value, sign, other)


def _is(one: Any, sign: str, other: Any) -> bool:
    """Compare as the history does: only values of one kind are equal or have an order."""
    alike = _kind(one) == _kind(other)
    if sign in {"=", "!="}:
        return (alike and one == other) == (sign == "=")
    return alike and _kind(one) != "none" and ORDER[sign](one, other)


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "none"
    return "time" if isinstance(value, datetime) else "text" if isinstance(value, str) else "number"
