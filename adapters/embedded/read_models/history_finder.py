"""How history rows are found in SQLite for one question: ways to walk, conditions that lead, and what they cost."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.embedded.read_models.history_candidates import BODY_OF, STEP, EmbeddedCandidates, hit, is_known
from adapters.embedded.read_models.history_sql import Sql, all_hold, has, holds, source, value_of
from adapters.embedded.read_models.history_values import encode
from adapters.embedded.read_models.history_way import along_numbers, along_values
from adapters.history.conditions import can_lead, cuts_order, keeps_order
from adapters.history.search import Costs, Question
from adapters.history.walk import Hit
from projections.filters.conditions import Condition, Simple

CAP = 50_000  # rows of a condition that may lead; more are found and sorted too slowly
COSTS = Costs(budget=50_000, caps=(CAP,), asking=0, worth_asking=0, worth_leading=1)
DENSITY = 200  # rows of a value that tell how frequent it is
COLLECT = 0.3  # cost of keeping a candidate for the sort
PASSING = 0.2  # which part of candidates is assumed to pass a test of a column that they have at hand


@dataclass(frozen=True, slots=True)
class Lead:
    """`FROM … c WHERE …` of an index, and the conditions that its rows have still to pass."""

    source: Sql
    rest: tuple[Condition, ...]
    sorts_fact: bool

    @property
    def cost(self) -> float:
        """What each of its rows costs: those that fail a test at hand cost next to nothing."""
        passing = PASSING ** sum(not holds(condition).probes for condition in self.rest)
        looks = self.sorts_fact or all_hold(self.rest).probes
        return STEP + passing * (1 if looks else COLLECT)


class EmbeddedFinder:
    """`adapters.history.search.Finder` on the read tables."""

    def __init__(self, connection: sqlite3.Connection, asked: Question) -> None:
        self.costs = COSTS
        self._connection = connection
        self._asked = asked
        self._query = asked.query

    def along_numbers(self, *, lacking: bool) -> EmbeddedCandidates:
        """Walk the narrowest way along `n`: a condition on one value, the rarer the better, or else all rows."""
        leads = [lead for condition, lead in self._conditions() if keeps_order(condition)]
        if len(leads) > 1:
            leads.sort(key=lambda lead: self._spread(lead.source))
        window, query = self._asked.window, self._query
        lead = leads[0] if leads else Lead(Sql("FROM history c WHERE true"), window.rest, sorts_fact=False)
        tests = all_hold(lead.rest)
        if lacking:
            known = has(query.sort.name)
            tests = Sql(f"NOT {known.text} AND", known.values) + tests
        return EmbeddedCandidates(
            self._connection, self._asked, along_numbers(lead.source, window), tests, lacking=lacking
        )

    def along_values(self) -> EmbeddedCandidates:
        """Walk the values of a fact."""
        way = along_values(self._query.sort.name, self._asked.cuts)
        return EmbeddedCandidates(self._connection, self._asked, way, all_hold(self._asked.tests), lacking=False)

    def leads(self) -> Iterator[Lead]:
        """Yield conditions that an index leads to, and all that is in the window."""
        yield from (lead for condition, lead in self._conditions() if not cuts_order(condition, self._query))
        if self._asked.sorts_fact and self._asked.share * self._rows() < CAP:
            window = self._asked.window
            in_window = Sql("FROM history c WHERE c.n BETWEEN ? AND ?", (window.low, window.high))
            yield Lead(in_window, window.rest, sorts_fact=True)

    def count(self, lead: Lead, most: int) -> int:
        """Count a lead's rows, but no further than that."""
        counted = f"SELECT count(*) FROM (SELECT 1 {lead.source.text} LIMIT ?)"
        return int(self._connection.execute(counted, (*lead.source.values, most)).fetchone()[0])

    def all_of(self, lead: Lead) -> list[Hit]:
        """Find all rows of a lead, test and sort them in memory."""
        order = "DESC" if self._query.sort.descending else "ASC"
        value = value_of(self._query.sort.name) if self._asked.sorts_fact else Sql("NULL")
        rows = Sql("SELECT c.n AS n, c.since AS since,") + value + Sql("AS value") + lead.source
        tests = Sql("AND") + is_known(self._asked) + Sql("AND") + all_hold(lead.rest)
        sql = Sql("WITH r AS MATERIALIZED (") + rows + tests + Sql("), c AS MATERIALIZED (SELECT * FROM r WHERE")
        by = f"value IS NULL, value {order}, n {order}, since {order}"
        page = f"ORDER BY {by} LIMIT ?) SELECT n, since, value, {BODY_OF} FROM c ORDER BY {by}"
        sql += self._after() + Sql(page, (self._query.limit + 1,))
        found = self._connection.execute(sql.text, sql.values)
        return [hit(row, lacking=self._asked.sorts_fact and row[2] is None) for row in found]

    def _after(self) -> Sql:
        mark, beyond = self._query.after, "<" if self._query.sort.descending else ">"
        if mark is None:
            return Sql("true")
        if not self._asked.sorts_fact or mark.missing:
            return Sql(f"value IS NULL AND (n, since) {beyond} (?, ?)", (mark.n, mark.since))
        later = f"(value, n, since) {beyond} (?, ?, ?)"
        return Sql(f"(value IS NULL OR {later})", (encode(mark.value), mark.n, mark.since))

    def _conditions(self) -> Iterator[tuple[Simple, Lead]]:
        rest = self._asked.window.rest
        for condition in filter(can_lead, rest):
            others = tuple(other for other in rest if other is not condition)
            yield condition, Lead(source(condition), others, self._asked.sorts_fact)

    def _rows(self) -> int:
        return int(self._connection.execute("SELECT rows FROM progress WHERE projection='history'").fetchone()[0])

    def _spread(self, way: Sql) -> int:
        """Return how far back DENSITY rows of a value reach from the end of the window: the farther, the rarer."""
        sql = f"SELECT c.n {way.text} AND c.n BETWEEN ? AND ? ORDER BY c.n DESC LIMIT 1 OFFSET ?"
        window = self._asked.window
        found = self._connection.execute(sql, (*way.values, window.low, window.high, DENSITY)).fetchone()
        return found[0] if found else -1
