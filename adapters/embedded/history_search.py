"""One history query at work: walk along the order, or let a rare condition lead; stop at the end of the work budget."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from adapters.embedded import history_plan
from adapters.embedded.history_plan import Lead
from adapters.embedded.history_sql import Sql, has, value_of
from adapters.embedded.history_values import decode, encode
from adapters.embedded.history_walk import BUDGET, Walk, is_known
from adapters.embedded.history_way import Way, along_numbers, along_values
from adapters.embedded.history_window import window
from adapters.history_order import cuts_order
from projections.conditions import conjuncts
from projections.ports import HistoryQuery, Mark, Sort


class Search:
    """Finds the marks of a page's rows, and the mark to go on from."""

    def __init__(self, connection: sqlite3.Connection, query: HistoryQuery) -> None:
        self._connection = connection
        self._window = window(connection, query.at, list(conjuncts(query.where)))
        if any(history_plan.single_value(part, query) for part in self._window.rest):
            query = replace(query, sort=Sort("n", query.sort.descending))
        self._query = query
        self._sorts_fact = query.sort.name != "n"
        self._cuts = [part for part in self._window.rest if cuts_order(part, query)]

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
            return self._lacking([], 0)
        walk = self._by_value() if self._sorts_fact else self._by_number()
        walk.look()
        if not walk.is_full and not walk.ended and (lead := self._faster(walk)):
            return self._all_of(lead), None
        walk.go_on()
        if self._sorts_fact and walk.ended and not self._cuts:
            return self._lacking(walk.found, walk.looked_at)
        return walk.found, walk.place

    def _by_number(self) -> Walk:
        lead = history_plan.by_number(self._connection, self._window)
        return self._walk(along_numbers(lead.source, self._window), lead.tests, missing=False)

    def _by_value(self) -> Walk:
        rest = tuple(part for part in self._window.rest if part not in self._cuts)
        way = along_values(self._query.sort.name, self._cuts)
        return self._walk(way, history_plan.Lead(way.source, rest).tests, missing=False)

    def _lacking(self, found: list[Mark], looked_at: int) -> tuple[list[Mark], Mark | None]:
        """Go on with the rows that lack what is sorted by: they come last."""
        lead = history_plan.by_number(self._connection, self._window)
        known = has(self._query.sort.name)
        tests = Sql(f"NOT {known.text} AND", known.values) + lead.tests
        walk = self._walk(along_numbers(lead.source, self._window), tests, missing=True)
        walk.found, walk.looked_at = found, looked_at
        walk.go_on()
        return walk.found, walk.place

    def _walk(self, way: Way, tests: Sql, *, missing: bool) -> Walk:
        return Walk(self._connection, self._query, self._window, way, tests, missing=missing)

    def _faster(self, walk: Walk) -> Lead | None:
        candidates = min(walk.expected(), BUDGET)
        cost = history_plan.walking_cost(self._connection, self._window, walk.tests, candidates)
        return history_plan.rare(self._connection, self._query, self._window, cost)

    # -- a rare condition leads ----------------------------------------------------------------------------------------

    def _all_of(self, lead: Lead) -> list[Mark]:
        """Find all rows of the rare condition, test and sort them in memory."""
        order = "DESC" if self._query.sort.descending else "ASC"
        value = value_of(self._query.sort.name) if self._sorts_fact else Sql("NULL")
        rows = Sql("SELECT c.n AS n, c.since AS since,") + value + Sql("AS value") + lead.source
        tests = Sql("AND") + is_known(self._query, self._window) + Sql("AND") + lead.tests
        sql = Sql("WITH r AS MATERIALIZED (") + rows + tests + Sql(") SELECT * FROM r WHERE") + self._after()
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
