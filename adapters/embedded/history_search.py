"""One history query at work: walk along the order, or let a rare condition lead; stop at the end of the work budget."""

from __future__ import annotations

import sqlite3

from adapters.embedded import history_plan
from adapters.embedded.history_plan import Lead
from adapters.embedded.history_sql import Sql, has, value_of
from adapters.embedded.history_values import decode, encode
from adapters.embedded.history_walk import Walk
from adapters.embedded.history_window import window
from adapters.embedded.read_schema import AT_HAND
from projections.conditions import conjuncts
from projections.ports import HistoryQuery, Mark

BUDGET = 50_000  # candidates looked at for one page: beyond it a page comes back short, with a cursor


class Search:
    """Finds the marks of a page's rows, and the mark to go on from."""

    def __init__(self, connection: sqlite3.Connection, query: HistoryQuery) -> None:
        self._connection = connection
        self._query = query
        self._sorts_fact = query.sort.name != "n"
        self._window = window(connection, query.at, list(conjuncts(query.where)))

    def run(self) -> tuple[list[Mark], Mark | None]:
        """Return at most `limit` marks in order, and where to go on: after the last, or after what was looked at."""
        if self._window.is_empty:
            return [], None
        found, stopped = self._marks()
        limit = self._query.limit
        return (found[:limit], found[limit - 1]) if len(found) > limit else (found, stopped)

    def _marks(self) -> tuple[list[Mark], Mark | None]:
        after = self._query.after
        if self._sorts_fact and after is not None and after.missing:
            return self._walked(self._lacking([], 0))
        walk = self._walk(history_plan.by_value(self._query, self._window)) if self._sorts_fact else self._numbered()
        walk.step(BUDGET)
        if not walk.is_full and not walk.ended and (lead := self._faster(walk)):
            return self._all_of(lead), None
        walk.advance(BUDGET)
        if self._sorts_fact and walk.ended and not walk.is_full and not self._needs_value():
            return self._walked(self._lacking(walk.found, walk.looked_at))
        return self._walked(walk)

    def _walked(self, walk: Walk) -> tuple[list[Mark], Mark | None]:
        return walk.found, walk.place

    def _walk(self, lead: Lead, *, missing: bool = False) -> Walk:
        return Walk(self._connection, self._query, self._window, lead.source, lead.tests, missing=missing)

    def _numbered(self) -> Walk:
        return self._walk(history_plan.by_number(self._connection, self._window))

    def _lacking(self, found: list[Mark], looked_at: int) -> Walk:
        """Go on with the rows that lack what is sorted by: they come last."""
        lead = history_plan.by_number(self._connection, self._window)
        known = has(self._query.sort.name)
        tests = Sql(f"NOT {known.text} AND", known.values) + lead.tests
        walk = Walk(self._connection, self._query, self._window, lead.source, tests, missing=True)
        walk.found, walk.looked_at = found, looked_at
        walk.advance(BUDGET)
        return walk

    def _needs_value(self) -> bool:
        return any(history_plan.cuts_order(part, self._query) for part in self._window.rest)

    def _faster(self, walk: Walk) -> Lead | None:
        candidates = min(walk.expected(), BUDGET)
        tests = walk.tests
        cost = history_plan.walking_cost(self._connection, self._window, tests, candidates)
        return history_plan.rare(self._connection, self._query, self._window, cost)

    # -- a rare condition leads ----------------------------------------------------------------------------------------

    def _all_of(self, lead: Lead) -> list[Mark]:
        """Find all rows of the rare condition, test and sort them in memory."""
        window, order = self._window, "DESC" if self._query.sort.descending else "ASC"
        known = Sql("AND n BETWEEN ? AND ? AND since<=? AND until>?", (window.low, window.high, *[self._query.at] * 2))
        inner = Sql(f"SELECT {AT_HAND}") + lead.source + known + Sql("" if self._query.withdrawn else "AND withdrawn=0")
        value = value_of(self._query.sort.name) if self._sorts_fact else Sql("NULL")
        rows = Sql("SELECT c.n AS n, c.since AS since,") + value + Sql("AS value FROM (") + inner
        sql = Sql("WITH r AS MATERIALIZED (") + rows + Sql(") c WHERE") + lead.tests
        sql += Sql(") SELECT * FROM r WHERE") + self._after()
        by = f"value IS NULL, value {order}, n {order}, since {order}"
        sql += Sql(f"ORDER BY {by} LIMIT ?", (self._query.limit + 1,))
        return [
            Mark(n, since, decode(stored), missing=self._sorts_fact and stored is None)
            for n, since, stored in self._connection.execute(sql.text, sql.values)
        ]

    def _after(self) -> Sql:
        mark, beyond = self._query.after, "<" if self._query.sort.descending else ">"
        if mark is None:
            return Sql("true")
        if not self._sorts_fact or mark.missing:
            return Sql(f"value IS NULL AND (n, since) {beyond} (?, ?)", (mark.n, mark.since))
        later = f"(value, n, since) {beyond} (?, ?, ?)"
        return Sql(f"(value IS NULL OR {later})", (encode(mark.value), mark.n, mark.since))
