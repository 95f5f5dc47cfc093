"""One history query at work: follow the plan, test candidates, stop at a full page or at the end of the work budget."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from adapters.embedded.history_plan import Lead, by_number, by_value, choose, cuts_order
from adapters.embedded.history_rows import decode, encode
from adapters.embedded.history_sql import Sql, has, holds, is_fact
from adapters.embedded.history_walk import Walk
from adapters.embedded.history_window import window
from projections.conditions import Condition, conjuncts
from projections.ports import OPEN, HistoryQuery, Mark


class Search:
    """Finds the marks of a page's rows, and the mark to go on from."""

    def __init__(self, connection: sqlite3.Connection, query: HistoryQuery) -> None:
        self._connection = connection
        self._query = query
        self._sort = query.sort.name
        self._window = window(connection, query.at, list(conjuncts(query.where)))

    def run(self) -> tuple[list[Mark], Mark | None]:
        """Return at most `limit` marks in order, and where to go on: after the last, or after what was looked at."""
        if self._window.is_empty:
            return [], None
        lead = choose(self._connection, self._query, self._window)
        found, stopped = (self._rare(lead), None) if lead else self._ordered()
        limit = self._query.limit
        return (found[:limit], found[limit - 1]) if len(found) > limit else (found, stopped)

    # -- a rare condition leads ----------------------------------------------------------------------------------------

    def _rare(self, lead: Lead) -> list[Mark]:
        """Find all rows of the rare condition, test and sort them in memory."""
        window, order = self._window, "DESC" if self._query.sort.descending else "ASC"
        known = Sql("AND n BETWEEN ? AND ? AND since<=? AND until>?", (window.low, window.high, *[self._query.at] * 2))
        inner = Sql("SELECT n, since") + lead.source + known + Sql("" if self._query.withdrawn else "AND withdrawn=0")
        value, passes, after = self._value(), _passes(lead.rest, at_hand=False), self._after()
        rows = Sql("SELECT c.n AS n, c.since AS since,") + value + Sql("AS value FROM (") + inner
        sql = (
            Sql("WITH r AS MATERIALIZED (") + rows + Sql(") c WHERE") + passes + Sql(") SELECT * FROM r WHERE") + after
        )
        by = f"value IS NULL, value {order}, n {order}, since {order}"
        sql += Sql(f"ORDER BY {by} LIMIT ?", (self._query.limit + 1,))
        lacks = self._sort != "n"
        return [
            Mark(n, since, decode(stored), missing=lacks and stored is None)
            for n, since, stored in self._connection.execute(sql.text, sql.values)
        ]

    def _value(self) -> Sql:
        if self._sort == "n":
            return Sql("NULL")
        if is_fact(self._sort):
            return Sql("(SELECT f.value FROM fact f WHERE f.n=c.n AND f.name=? AND f.since=c.since)", (self._sort,))
        return Sql(f"(SELECT h.{self._sort} FROM history h WHERE h.n=c.n AND h.since=c.since)")

    def _after(self) -> Sql:
        mark, beyond = self._query.after, "<" if self._query.sort.descending else ">"
        if mark is None:
            return Sql("true")
        if self._sort == "n" or mark.missing:
            return Sql(f"value IS NULL AND (n, since) {beyond} (?, ?)", (mark.n, mark.since))
        later = f"(value, n, since) {beyond} (?, ?, ?)"
        return Sql(f"(value IS NULL OR {later})", (encode(mark.value), mark.n, mark.since))

    # -- the order leads -----------------------------------------------------------------------------------------------

    def _ordered(self) -> tuple[list[Mark], Mark | None]:
        """Walk along the order; where it is a fact's, rows that lack the fact come after all others."""
        query, walk = self._query, Walk(self._connection, self._query, self._window)
        after, rest = query.after, self._window.rest
        start = (after.n, after.since) if after else None
        if self._sort == "n":
            stopped = walk.by_number(by_number(self._window), _passes(rest, at_hand=True), start, missing=False)
            return walk.found, stopped
        if after is None or not after.missing:
            tests = _passes([part for part in rest if not cuts_order(part, query)], at_hand=False)
            key = (encode(after.value), after.n, after.since) if after else None
            stopped = walk.by_value(by_value(query, self._window), tests, key)
            if stopped or walk.is_full or not is_fact(self._sort) or any(cuts_order(part, query) for part in rest):
                return walk.found, stopped
            start = (OPEN, OPEN) if query.sort.descending else (-1, -1)
        known = has(self._sort)
        lacking = Sql(f"NOT {known.text} AND", known.values) + _passes(rest, at_hand=True)
        stopped = walk.by_number(by_number(self._window), lacking, start, missing=True)
        return walk.found, stopped


def _passes(conditions: Sequence[Condition], *, at_hand: bool) -> Sql:
    tests = Sql("true")
    for condition in conditions:
        tests += Sql("AND") + holds(condition, at_hand=at_hand)
    return tests
