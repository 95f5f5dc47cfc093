"""A walk along an index in growing pieces: each piece is tested whole, its last key is where the next one begins."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from typing import Any

from adapters.embedded.history_rows import decode
from adapters.embedded.history_sql import Sql
from adapters.embedded.history_window import Window
from projections.ports import HistoryQuery, Mark

BUDGET = 50_000  # candidates looked at for one page: beyond it a page comes back short, with a cursor
FIRST_PIECE = 30  # beyond what the page needs
SPARE = 1.3  # the next piece takes a little more than the rate so far asks for
GROWTH = 16

Key = tuple[Any, ...]


class Walk:
    """Collects the marks of rows that pass, one more than the page holds."""

    def __init__(self, connection: sqlite3.Connection, query: HistoryQuery, window: Window) -> None:
        self.found: list[Mark] = []
        self._connection = connection
        self._query = query
        known = f"c.n BETWEEN ? AND ? AND c.since<=? AND c.until>? {'' if query.withdrawn else 'AND c.withdrawn=0'} AND"
        self._known = Sql(known, (window.low, window.high, query.at, query.at))
        self._order, self._beyond = ("DESC", "<") if query.sort.descending else ("ASC", ">")
        self._left = BUDGET

    @property
    def is_full(self) -> bool:
        """Whether the page is full and it is known that another follows."""
        return len(self.found) > self._query.limit

    def by_number(self, source: Sql, tests: Sql, key: Key | None, *, missing: bool) -> Mark | None:
        """Walk along `n`, of rows that lack the value sorted by (`missing`) or where none is needed."""
        rows = Sql("SELECT *, NULL AS value") + source
        stopped = self._walk(rows, ("n", "since"), tests, key, missing=missing)
        return Mark(stopped[0], stopped[1], missing=missing) if stopped else None

    def by_value(self, source: Sql, tests: Sql, key: Key | None) -> Mark | None:
        """Walk along a fact or text column."""
        column = "value" if source.text.startswith("FROM fact") else self._query.sort.name
        rows = Sql(f"SELECT n, since, until, withdrawn, {column} AS value") + source
        stopped = self._walk(rows, (column, "n", "since"), tests, key, missing=False)
        return Mark(stopped[1], stopped[2], decode(stopped[0])) if stopped else None

    def _walk(self, rows: Sql, by: tuple[str, ...], tests: Sql, key: Key | None, *, missing: bool) -> Key | None:
        """Return the key where the budget ended; None at the end of the order or with a full page."""
        size, looked_at, before = self._query.limit + FIRST_PIECE, 0, len(self.found)
        while not self.is_full:
            size = min(size, self._left)
            if size <= 0:
                return key
            piece = self._piece(rows, by, key, size)
            self._test(piece, tests, missing=missing)
            key = self._last(piece, by, size)
            if key is None:
                return None
            self._left -= size
            looked_at += size
            size = self._next_size(size, looked_at, len(self.found) - before)
        return None

    def _piece(self, rows: Sql, by: tuple[str, ...], key: Key | None, size: int) -> Sql:
        names, marks = ", ".join(by), ", ".join("?" * len(by))
        order = ", ".join(f"{name} {self._order}" for name in by)
        beyond = Sql(f"AND ({names}) {self._beyond} ({marks})", key) if key else Sql("")
        return rows + beyond + Sql(f"ORDER BY {order} LIMIT ?", (size,))

    def _test(self, piece: Sql, tests: Sql, *, missing: bool) -> None:
        sql = Sql("SELECT c.n, c.since, c.value FROM (") + piece + Sql(") c WHERE") + self._known + tests
        sql += Sql(f"ORDER BY c.value {self._order}, c.n {self._order}, c.since {self._order}")
        passed = self._connection.execute(sql.text, sql.values)
        self.found += [Mark(n, since, decode(value), missing=missing) for n, since, value in passed]

    def _last(self, piece: Sql, by: tuple[str, ...], size: int) -> Key | None:
        names = "value, n, since" if len(by) == 3 else "n, since"  # noqa: PLR2004 - by value, n and since
        sql = Sql(f"SELECT {names} FROM (") + piece + Sql(") LIMIT 1 OFFSET ?", (size - 1,))
        found: Key | None = self._connection.execute(sql.text, sql.values).fetchone()
        return found

    def _next_size(self, size: int, looked_at: int, found: int) -> int:
        needed = self._query.limit + 1 - len(self.found)
        return min(size * GROWTH, int(needed * looked_at / found * SPARE) + FIRST_PIECE if found else size * GROWTH)
