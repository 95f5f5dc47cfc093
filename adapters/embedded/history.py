"""The history index in SQLite: pages in a bounded number of steps, now or as of any position."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic_core import from_json

from adapters.embedded.history_rows import EPOCH, decode
from adapters.embedded.history_search import Search
from adapters.embedded.read_database import ReadDatabase
from projections.ports import HistoryQuery, HistoryRow, Mark, Page

STREAMED = 1000
ROWS_AT = """SELECT n,since,until,model,dataset,actor,at,withdrawn,body FROM history JOIN history_body USING (n,since)
             WHERE n>? AND since<=? AND until>? ORDER BY n LIMIT ?"""
FACTS_OF = "SELECT name,value FROM fact WHERE n=? AND since=? AND until=? ORDER BY name"
BODY = "SELECT body FROM history_body WHERE n=? AND since=?"


class EmbeddedHistory:
    """`projections.ports.History` on a `ReadDatabase`."""

    def __init__(self, database: ReadDatabase) -> None:
        self._database = database

    def page(self, query: HistoryQuery) -> Page:
        """Answer within a work budget: p50 <= 10 ms, now or as of any position."""
        with self._database.reading() as connection:
            found, next_ = Search(connection, query).run()
            return Page([_body(connection, mark) for mark in found], next_, query.at)

    def versions(self, at: int) -> Iterator[HistoryRow]:
        """Stream the rows true at a position with their facts; no read transaction stays open between pages."""
        after = -1
        while rows := self._read(after, at):
            yield from rows
            after = rows[-1].n

    def _read(self, after: int, at: int) -> list[HistoryRow]:
        with self._database.reading() as connection:
            found = connection.execute(ROWS_AT, (after, at, at, STREAMED)).fetchall()
            return [_row(connection, one) for one in found]


def _body(connection: sqlite3.Connection, mark: Mark) -> dict[str, Any]:
    body: dict[str, Any] = from_json(connection.execute(BODY, (mark.n, mark.since)).fetchone()[0])
    return body


def _row(connection: sqlite3.Connection, found: tuple[Any, ...]) -> HistoryRow:
    n, since, until, model, dataset, actor, at, withdrawn, body = found
    facts = {name: decode(value) for name, value in connection.execute(FACTS_OF, (n, since, until))}
    moment = EPOCH + timedelta(microseconds=at)
    return HistoryRow(n, since, until, model, dataset, actor, moment, bool(withdrawn), from_json(body), facts)
