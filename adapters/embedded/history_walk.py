"""A walk along an index in growing pieces: each piece is tested whole, its last key is where the next one begins."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from typing import Any

from adapters.embedded.history_sql import Sql
from adapters.embedded.history_values import decode, encode
from adapters.embedded.history_window import Window
from adapters.embedded.read_schema import AT_HAND
from projections.ports import OPEN, HistoryQuery, Mark

FIRST_PIECE = 30  # beyond what the page needs
SPARE = 1.3  # the next piece takes a little more than the rate so far asks for
GROWTH = 16

NUMBER = ("n", "since")
VALUE = ("value", "n", "since")
Key = tuple[Any, ...]


class Walk:
    """Collects the marks of rows that pass, one more than the page holds; `missing`: of rows that lack the value."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: HistoryQuery,
        window: Window,
        way: Sql,
        tests: Sql,
        *,
        missing: bool,
    ) -> None:
        self.found: list[Mark] = []
        self.looked_at = 0
        self.ended = False
        self._connection = connection
        self._query = query
        self._missing = missing
        self._by = NUMBER if missing or query.sort.name == "n" else VALUE
        self._key = self._first_key()
        self._order, self._beyond = ("DESC", "<") if query.sort.descending else ("ASC", ">")
        self._rows = Sql(f"SELECT {AT_HAND}, {'value' if self._by == VALUE else 'NULL AS value'}") + way
        if self._by == NUMBER:
            self._rows += Sql("AND n BETWEEN ? AND ?", (window.low, window.high))
        live = "" if query.withdrawn else "AND c.withdrawn=0"
        known = f"c.n BETWEEN ? AND ? AND c.since<=? AND c.until>? {live} AND"
        self.tests = tests
        self._tests = Sql(known, (window.low, window.high, query.at, query.at)) + tests

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
            before_all = OPEN if self._query.sort.descending else -1
            return Mark(before_all, before_all, missing=self._missing)
        *value, n, since = self._key
        return Mark(n, since, decode(value[0]) if value else None, self._missing)

    def expected(self) -> float:
        """Estimate how many more candidates the page takes, by the rate so far."""
        return (self._query.limit + 1 - len(self.found)) * self.looked_at / max(len(self.found), 0.5)

    def advance(self, budget: int) -> None:
        """Go on until the page is full, the order ends, or `budget` candidates in all were looked at."""
        while not self.is_full and not self.ended and self.looked_at < budget:
            self.step(budget)

    def step(self, budget: int) -> None:
        """Look at one piece."""
        size = min(self._next_size(), budget - self.looked_at)
        piece = self._piece(size)
        self._test(piece)
        last = self._last(piece, size)
        self.ended, self._key = last is None, last or self._key
        self.looked_at += size

    def _first_key(self) -> Key | None:
        after = self._query.after
        if after is None or after.missing != self._missing:
            return None
        return (after.n, after.since) if self._by == NUMBER else (encode(after.value), after.n, after.since)

    def _next_size(self) -> int:
        if not self.looked_at:
            return self._query.limit + FIRST_PIECE
        return int(min(self.expected() * SPARE, self.looked_at * GROWTH)) + FIRST_PIECE

    def _piece(self, size: int) -> Sql:
        names, marks = ", ".join(self._by), ", ".join("?" * len(self._by))
        order = ", ".join(f"{name} {self._order}" for name in self._by)
        beyond = Sql(f"AND ({names}) {self._beyond} ({marks})", self._key) if self._key else Sql("")
        return self._rows + beyond + Sql(f"ORDER BY {order} LIMIT ?", (size,))

    def _test(self, piece: Sql) -> None:
        sql = Sql("SELECT c.n, c.since, c.value FROM (") + piece + Sql(") c WHERE") + self._tests
        sql += Sql(f"ORDER BY c.value {self._order}, c.n {self._order}, c.since {self._order}")
        passed = self._connection.execute(sql.text, sql.values)
        self.found += [Mark(n, since, decode(value), self._missing) for n, since, value in passed]

    def _last(self, piece: Sql, size: int) -> Key | None:
        sql = Sql(f"SELECT {', '.join(self._by)} FROM (") + piece + Sql(") LIMIT 1 OFFSET ?", (size - 1,))
        found: Key | None = self._connection.execute(sql.text, sql.values).fetchone()
        return found
