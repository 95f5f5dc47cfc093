"""The history index in SQLite: pages in a bounded number of steps, now or as of any position."""

# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from adapters.embedded.read_models.database import ReadDatabase, json_or_text, read_readably
from adapters.embedded.read_models.history_scans import SqliteRows
from adapters.history.pager import COMMON_COLUMNS, find_page
from adapters.history.ranges import decode
from projections.ports import HistoryQuery, HistoryRow, Page

STREAMED = 1000
TEXTS = ",".join(f"(SELECT text FROM word WHERE id=h.{name})" for name in COMMON_COLUMNS)
ROWS = f"SELECT n,since,until,withdrawn,{TEXTS},body FROM history h LEFT JOIN history_body USING (n,since)"
ROWS_AT = f"{ROWS} WHERE n>? AND since<=? AND until>? ORDER BY n LIMIT ?"
ALL_ROWS = f"{ROWS} WHERE (n,since)>(?,?) ORDER BY n,since LIMIT ?"
COPIES = " AND ".join(f"f.{name} IS h.{name}" for name in ("until", "withdrawn", *COMMON_COLUMNS))
FACTS_WITHIN = f"""SELECT n,since,w.text,f.value FROM history h JOIN fact f USING (n,since) JOIN word w ON w.id=f.name
                   WHERE n BETWEEN ? AND ? AND {COPIES}"""


class SqliteHistory:
    """`projections.ports.History` on a `ReadDatabase`."""

    def __init__(self, database: ReadDatabase) -> None:
        self._database = database

    def page(self, query: HistoryQuery) -> Page:
        """Answer within a work budget: p50 <= 10 ms, now or as of any position."""
        with self._database.reading() as connection:
            return find_page(query, SqliteRows(connection))

    def versions(self, at: int) -> Iterator[HistoryRow]:
        after = -1
        while rows := self._read(after, at):
            yield from rows
            after = rows[-1].n

    def all_versions(self) -> Iterator[HistoryRow]:
        after = (-1, -1)
        while rows := self._page_of_all(after):
            yield from rows
            after = (rows[-1].n, rows[-1].from_)

    def _page_of_all(self, after: tuple[int, int]) -> list[HistoryRow]:
        with self._database.reading() as connection:
            return read_readably(connection, lambda: _rows(connection, ALL_ROWS, (*after, STREAMED)))

    def _read(self, after: int, at: int) -> list[HistoryRow]:
        with self._database.reading() as connection:
            return _rows(connection, ROWS_AT, (after, at, at, STREAMED))


def _rows(connection: sqlite3.Connection, query: str, values: tuple[Any, ...]) -> list[HistoryRow]:
    """Read a page of rows, with the facts of all of them at once."""
    found = connection.execute(query, values).fetchall()
    facts: defaultdict[tuple[int, int], dict[str, Any]] = defaultdict(dict)
    if found:
        for n, since, name, value in connection.execute(FACTS_WITHIN, (found[0][0], found[-1][0])):
            facts[n, since][name] = decode(value)
    return [_row(one, facts[one[0], one[1]]) for one in found]


def _row(found: tuple[Any, ...], facts: dict[str, Any]) -> HistoryRow:
    """Make a row; of what is stored twice, a copy that differs must show."""
    n, since, until, withdrawn, *names, body = found
    facts |= {
        name: [facts.get(name), at_hand]
        for name, at_hand in zip(COMMON_COLUMNS, names, strict=True)
        if facts.get(name) != at_hand
    }
    return HistoryRow(n, since, until, bool(withdrawn), json_or_text(body), facts)
