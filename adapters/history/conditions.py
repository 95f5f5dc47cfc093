"""What conditions mean for the way to a history page, in whichever store its rows are."""

from __future__ import annotations

from typing import TypeGuard

from projections.filters.conditions import TEXT_COLUMNS, Between, Compare, Condition, IsNone, OneOf, Simple
from projections.ports import HistoryQuery


def is_fact(name: str) -> bool:
    """Whether the name is that of a measure or a setting."""
    return name.startswith(("measure.", "setting."))


def can_lead(condition: Condition) -> TypeGuard[Simple]:
    """Whether an index leads straight to the rows for which it holds."""
    if isinstance(condition, IsNone):
        return condition.name.startswith("setting.")
    if not isinstance(condition, (Compare, OneOf, Between)):
        return False
    if isinstance(condition, Compare) and condition.operator == "!=":
        return False
    return is_fact(condition.name) or condition.name in TEXT_COLUMNS


def keeps_order(condition: Simple) -> bool:
    """Whether the index has those rows in the order of `n`: it does for a single value."""
    return isinstance(condition, IsNone) or (isinstance(condition, Compare) and condition.operator == "=")


def cuts_order(condition: Condition, query: HistoryQuery) -> TypeGuard[Compare | Between]:
    """Whether a condition only cuts a piece out of the order: a range on the name that is sorted by."""
    if isinstance(condition, Compare):
        return condition.name == query.sort.name and condition.operator not in {"=", "!="}
    return isinstance(condition, Between) and condition.name == query.sort.name


def leaves_one_value(condition: Condition, query: HistoryQuery) -> bool:
    """Whether a condition leaves one value of what is sorted by, so that only `n` is left to sort by."""
    return can_lead(condition) and keeps_order(condition) and condition.name == query.sort.name


def is_on_one_data_set(condition: Condition) -> TypeGuard[Compare]:
    """Whether a condition leaves one data set."""
    return isinstance(condition, Compare) and condition.name == "dataset" and condition.operator == "="
