"""A walk along a way: a first look at a few candidates, then as many as the page takes, within a budget of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.embedded.history_sql import Sql
from adapters.embedded.history_values import decode, encode
from adapters.embedded.history_way import NUMBER, Way
from adapters.embedded.history_window import Window
from projections.ports import OPEN, HistoryQuery, Mark

BUDGET = 50_000  # candidates looked at for one page: beyond it a page comes back short, with a cursor
FIRST_PIECE = 30  # candidates beyond what the page needs
OPERATIONS = 800_000  # of SQLite's virtual machine: what about so many candidates take
CHECKED_EVERY = 50_000

Key = tuple[Any, ...]


class Walk:
    """Collects the marks of rows that pass, one more than the page holds; `missing`: of rows that lack the value."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: HistoryQuery,
        window: Window,
        way: Way,
        tests: Sql,
        *,
        missing: bool,
    ) -> None:
        self.found: list[Mark] = []
        self.looked_at = 0
        self.ended = False
        self.tests = tests
        self._connection = connection
        self._query = query
        self._way = way
        self._missing = missing
        self._descending = query.sort.descending
        self._key = self._first_key()
        self._passes = way.tests + Sql("AND") + is_known(query, window) + Sql("AND") + tests

    @property
    def is_full(self) -> bool:
        """Whether the page is full and it is known that another follows."""
        return len(self.found) > self._query.limit

    @property
    def place(self) -> Mark | None:
        """Where it has come to; None at the end."""
        if self.ended:
            return None
        if self._key is None:
            before_all = OPEN if self._descending else -1
            return Mark(before_all, before_all, missing=self._missing)
        *value, n, since = self._key
        return Mark(n, since, decode(value[0]) if value else None, self._missing)

    def expected(self) -> float:
        """Estimate how many more candidates the page takes, by the rate so far; finding none yet bodes ill."""
        return (self._query.limit + 1 - len(self.found)) * self.looked_at / max(len(self.found), 0.2)

    def look(self) -> None:
        """Take the first candidates, a few more than the page needs."""
        self._piece(min(self._query.limit + FIRST_PIECE, BUDGET))

    def go_on(self) -> None:
        """Go on until the page is full, the order ends, or the budget is spent."""
        if self.is_full or self.ended or self.looked_at >= BUDGET:
            return
        if self.found and self.expected() > BUDGET:
            self._piece(BUDGET - self.looked_at)
            return
        before = len(self.found)
        with self._at_most(OPERATIONS) as work:
            self._take(None)
            self.ended = not self.is_full
        if work.is_cut_short:
            del self.found[before:]
            self._piece(BUDGET - self.looked_at)

    def _first_key(self) -> Key | None:
        after = self._query.after
        if after is None or after.missing != self._missing:
            return None
        return (after.n, after.since) if self._way.by == NUMBER else (encode(after.value), after.n, after.since)

    def _piece(self, size: int) -> None:
        """Take so many candidates and keep the key of the last, from which the walk can go on."""
        rows = self._way.between(descending=self._descending, after=self._key, until=None)
        sql = Sql(f"SELECT {', '.join(self._way.by)}") + rows
        sql += Sql(f"ORDER BY {self._way.order(descending=self._descending)} LIMIT 1 OFFSET ?", (size - 1,))
        last: Key | None = self._connection.execute(sql.text, sql.values).fetchone()
        self._take(last)
        self.looked_at += size
        self.ended = last is None and not self.is_full
        self._key = last or self._key

    def _take(self, until: Key | None) -> None:
        value = "NULL" if self._way.by == NUMBER else "c.value"
        rows = self._way.between(descending=self._descending, after=self._key, until=until)
        sql = Sql(f"SELECT c.n, c.since, {value}") + rows + Sql("AND") + self._passes
        order = f"ORDER BY {self._way.order(descending=self._descending)} LIMIT ?"
        sql += Sql(order, (self._query.limit + 1 - len(self.found),))
        for n, since, stored in self._connection.execute(sql.text, sql.values):
            self.found.append(Mark(n, since, decode(stored), self._missing))

    @contextmanager
    def _at_most(self, operations: int) -> Iterator[Work]:
        """Cut the statement short after so many operations: its answer is then not known, but it took no longer."""
        work = Work(operations)
        self._connection.set_progress_handler(work.is_spent, CHECKED_EVERY)
        try:
            yield work
        except sqlite3.OperationalError:
            if not work.is_cut_short:
                raise
        finally:
            self._connection.set_progress_handler(None, 0)


class Work:
    """Counts operations, CHECKED_EVERY at a time."""

    def __init__(self, operations: int) -> None:
        self._left = operations
        self.is_cut_short = False

    def is_spent(self) -> bool:
        """Whether the statement is to be cut short here."""
        self._left -= CHECKED_EVERY
        self.is_cut_short = self._left < 0
        return self.is_cut_short


def is_known(query: HistoryQuery, window: Window) -> Sql:
    """Say that the candidate is in the window, true at the position, and not withdrawn if those are not asked for."""
    live = "" if query.withdrawn else "AND c.withdrawn=0"
    known = f"+c.n BETWEEN ? AND ? AND c.since<=? AND c.until>? {live}"
    return Sql(known, (window.low, window.high, query.at, query.at))
