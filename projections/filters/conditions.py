"""What a history filter means: a small closed tree. A parser makes it, adapters translate it, nothing evaluates text.

Names are explicit: a column (`model`), a fact (`measure.precision:macro`, `setting.C`). Every comparison is false where
the row has no such name, so `not C = 1` finds more than `C != 1`. Order holds between numbers and between texts only;
`none`, `false` and `true` equal nothing but themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Constant = bool | int | float | str | datetime
Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """`name operator value`."""

    name: str
    operator: Operator
    value: Constant


@dataclass(frozen=True, slots=True)
class OneOf:
    """`name in (value, …)`."""

    name: str
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`name between low and high`, both included."""

    name: str
    low: Constant
    high: Constant


@dataclass(frozen=True, slots=True)
class IsNone:
    """`name = none`: the row has a setting with the value none."""

    name: str


@dataclass(frozen=True, slots=True)
class IsSome:
    """`name != none`: the row has a value and it is not none."""

    name: str


@dataclass(frozen=True, slots=True)
class And:
    """All hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: Condition


Simple = Compare | OneOf | Between | IsNone | IsSome
Condition = Simple | And | Or | Not


def conjuncts(condition: Condition | None) -> Iterator[Condition]:
    """List what must all hold, at the top level."""
    if isinstance(condition, And):
        for part in condition.parts:
            yield from conjuncts(part)
    elif condition is not None:
        yield condition
