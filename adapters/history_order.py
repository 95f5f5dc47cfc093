"""What conditions mean for the order of a history page, in whichever store its rows are."""

from __future__ import annotations

from typing import TypeGuard

from projections.conditions import Between, Compare, Condition
from projections.ports import HistoryQuery


def cuts_order(condition: Condition, query: HistoryQuery) -> TypeGuard[Compare | Between]:
    """Whether a condition only cuts a piece out of the order: a range on the name that is sorted by."""
    if isinstance(condition, Compare):
        return condition.name == query.sort.name and condition.operator not in {"=", "!="}
    return isinstance(condition, Between) and condition.name == query.sort.name
