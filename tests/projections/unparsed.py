"""Conditions written as text again, so that whatever is parsed can be held against what it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from projections.filters.conditions import And, Between, Compare, Condition, Constant, IsNone, IsSome, Not, OneOf, Or


def unparse(condition: Condition) -> str:
    """Write a condition as text that parses to an equal one."""
    if isinstance(condition, (And, Or)):
        word = " and " if isinstance(condition, And) else " or "
        return f"({word.join(unparse(part) for part in condition.parts)})"
    if isinstance(condition, Not):
        return f"not {unparse(condition.part)}"
    return UNPARSE[type(condition)](condition)


def _text(value: Constant) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return json.dumps(value)


UNPARSE: dict[type, Callable[..., str]] = {
    Compare: lambda it: f"{it.name} {it.operator} {_text(it.value)}",
    OneOf: lambda it: f"{it.name} in ({', '.join(_text(value) for value in it.values)})",
    Between: lambda it: f"{it.name} between {_text(it.low)} and {_text(it.high)}",
    IsNone: lambda it: f"{it.name} = none",
    IsSome: lambda it: f"{it.name} != none",
}
