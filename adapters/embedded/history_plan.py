"""Which index leads a history query: the heart of the 10 ms, for a wrong one costs seconds.

Either the order leads (rows come sorted and each is tested until the page is full) or a rare condition leads (all its
rows are found, tested and sorted). Counts are capped: what is more frequent than the cap is never a rare condition.
"""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from math import isqrt
from typing import TypeGuard

from adapters.embedded.history_sql import Sql, can_drive, compare, driver, is_fact
from adapters.embedded.history_window import Window
from projections.conditions import TEXT_COLUMNS, Between, Compare, Condition
from projections.ports import HistoryQuery

CAP = 16_384


@dataclass(frozen=True, slots=True)
class Lead:
    """A rare condition's `FROM … WHERE …`, and the conditions that its rows have still to pass."""

    source: Sql
    rest: tuple[Condition, ...]


def choose(connection: sqlite3.Connection, query: HistoryQuery, window: Window) -> Lead | None:
    """Compare what each way would have to look at; None where the order leads.

    With one condition of c rows among N, the order looks at limit * N / c rows, the condition at c: they meet where
    c = sqrt(limit * N).
    """
    leads = _leads(connection, query, window)
    if not leads:
        return None
    total = max(1, int(connection.execute("SELECT rows FROM progress").fetchone()[0]))
    cap = CAP if len(leads) > 1 else min(CAP, isqrt(query.limit * total) + query.limit)
    counts = [_count(connection, lead.source, cap) for lead in leads]
    looked_at = float(query.limit)
    for count in counts:
        looked_at *= total / max(1, min(count, total))
    fewest = min(counts)
    return leads[counts.index(fewest)] if fewest < cap and fewest <= looked_at else None


def cuts_order(condition: Condition, query: HistoryQuery) -> TypeGuard[Compare | Between]:
    """Whether a condition only cuts a piece out of the order: a range on the name that is sorted by."""
    if isinstance(condition, Compare):
        return condition.name == query.sort.name and condition.operator != "!="
    return isinstance(condition, Between) and condition.name == query.sort.name


def by_number(window: Window) -> Sql:
    """Return `FROM … WHERE …` of the rows in the window."""
    return Sql("FROM history WHERE n BETWEEN ? AND ?", (window.low, window.high))


def by_value(query: HistoryQuery, window: Window) -> Sql:
    """Return `FROM … WHERE …` of the index that has the rows in the order of a fact or text column."""
    name = query.sort.name
    if is_fact(name):
        source = Sql("FROM fact WHERE name=?", (name,))
    elif name in TEXT_COLUMNS:
        source = Sql(f"FROM history INDEXED BY history_{name} WHERE true")
    else:
        msg = f"history has no column {name!r} to sort by"
        raise LookupError(msg)
    for cut in window.rest:
        if cuts_order(cut, query):
            test = compare("value" if is_fact(name) else name, cut)
            source += Sql(f"AND {test.text}", test.values)
    return source


def _leads(connection: sqlite3.Connection, query: HistoryQuery, window: Window) -> list[Lead]:
    leads = []
    for condition in window.rest:
        if can_drive(condition) and not cuts_order(condition, query):
            others = tuple(other for other in window.rest if other is not condition)
            leads.append(Lead(driver(condition), others))
    if query.sort.name != "n" and (window.narrowed or _is_past(connection, window)):
        leads.append(Lead(by_number(window), window.rest))
    return leads


def _is_past(connection: sqlite3.Connection, window: Window) -> bool:
    newest = connection.execute("SELECT max(n) FROM history").fetchone()[0]
    return newest is not None and window.high < newest


def _count(connection: sqlite3.Connection, source: Sql, cap: int) -> int:
    counted = f"SELECT count(*) FROM (SELECT 1 {source.text} LIMIT ?)"
    return int(connection.execute(counted, (*source.values, cap)).fetchone()[0])
