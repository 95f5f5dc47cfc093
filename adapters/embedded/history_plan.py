"""Which index leads a history query: the heart of the 10 ms, for a wrong one costs seconds.

A walk along the order comes first: rows come sorted, and common filters fill the page soon. Where it promises to be
long, conditions are counted (up to a cap), and a rare one leads instead: all its rows are found, tested and sorted.
"""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.embedded.history_sql import Sql, can_lead, holds, keeps_order, source
from adapters.embedded.history_window import Window
from adapters.history_order import cuts_order
from projections.conditions import Compare, Condition, IsNone, Simple
from projections.ports import HistoryQuery

CAP = 50_000  # rows of a condition that may lead; more are found and sorted too slowly
DENSITY = 200  # rows of a value that tell how frequent it is
STEP = 0.1  # cost of a candidate whose test needs no look elsewhere, beside 1 for one that does
COLLECT = 0.3  # cost of keeping a candidate for the sort
PASSING = 0.2  # which part of candidates is assumed to pass a test of a column that they have at hand


@dataclass(frozen=True, slots=True)
class Lead:
    """`FROM … c WHERE …` of an index, and the conditions that its rows have still to pass."""

    source: Sql
    rest: tuple[Condition, ...]

    @property
    def tests(self) -> Sql:
        """What a candidate has to pass."""
        tests = Sql("true")
        for condition in self.rest:
            tests += Sql("AND") + holds(condition)
        return tests


def by_number(connection: sqlite3.Connection, window: Window) -> Lead:
    """Return the narrowest way to walk along `n`: a condition on one value, the rarer the better, or else all rows."""
    leads = [lead for condition, lead in _leads(window) if keeps_order(condition)]
    if len(leads) > 1:
        leads.sort(key=lambda lead: _spread(connection, lead.source, window))
    return leads[0] if leads else Lead(Sql("FROM history c WHERE true"), window.rest)


def rare(connection: sqlite3.Connection, query: HistoryQuery, window: Window, cost: float) -> Lead | None:
    """Return the rarest condition where finding all its rows costs less than `cost`, that of walking on."""
    candidates = [lead for condition, lead in _leads(window) if not cuts_order(condition, query)]
    if query.sort.name != "n" and _share(connection, window) * _rows(connection) < CAP:
        all_in_it = Sql("FROM history c WHERE c.n BETWEEN ? AND ?", (window.low, window.high))
        candidates.append(Lead(all_in_it, window.rest))
    best, cheapest = None, cost
    for lead in candidates:
        each = _cost_of_each(lead, query)
        cap = min(CAP, int(cheapest / each))
        count = _count(connection, lead.source, cap)
        if count < cap:
            best, cheapest = lead, count * each
    return best


def _cost_of_each(lead: Lead, query: HistoryQuery) -> float:
    passing = PASSING ** sum(not holds(condition).probes for condition in lead.rest)
    looks = lead.tests.probes or query.sort.name != "n"
    return STEP + passing * (1 if looks else COLLECT)


def single_value(condition: Condition, query: HistoryQuery) -> bool:
    """Whether a condition leaves one value of what is sorted by, so that only `n` is left to sort by."""
    if isinstance(condition, IsNone):
        return condition.name == query.sort.name and can_lead(condition)
    return isinstance(condition, Compare) and condition.name == query.sort.name and condition.operator == "="


def walking_cost(connection: sqlite3.Connection, window: Window, tests: Sql, candidates: float) -> float:
    """Return what testing so many candidates costs: those outside the window are passed over at once."""
    return candidates * (STEP + (_share(connection, window) if tests.probes else 0))


def _leads(window: Window) -> Sequence[tuple[Simple, Lead]]:
    return [
        (condition, Lead(source(condition), tuple(other for other in window.rest if other is not condition)))
        for condition in window.rest
        if can_lead(condition)
    ]


def _rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT rows FROM progress").fetchone()[0])


def _share(connection: sqlite3.Connection, window: Window) -> float:
    """Estimate which part of all rows is in the window, from the numbers alone."""
    newest = connection.execute("SELECT max(n) FROM history").fetchone()[0] or 1
    return max(0.0, (min(window.high, newest) - window.low) / newest)


def _spread(connection: sqlite3.Connection, way: Sql, window: Window) -> int:
    """Return how far back DENSITY rows of a value reach from the end of the window: the farther, the rarer it is."""
    sql = f"SELECT c.n {way.text} AND c.n BETWEEN ? AND ? ORDER BY c.n DESC LIMIT 1 OFFSET ?"
    found = connection.execute(sql, (*way.values, window.low, window.high, DENSITY)).fetchone()
    return found[0] if found else -1


def _count(connection: sqlite3.Connection, way: Sql, cap: int) -> int:
    counted = f"SELECT count(*) FROM (SELECT 1 {way.text} LIMIT ?)"
    return int(connection.execute(counted, (*way.values, cap)).fetchone()[0])
