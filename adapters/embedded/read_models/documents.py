"""Versioned documents in SQLite, and the transaction that writes them together with history rows and the position."""

# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from threading import Condition
from time import monotonic
from typing import Any

from pydantic_core import from_json, to_json

from adapters.embedded.read_models.database import ReadDatabase, json_or_text, readable_text
from adapters.embedded.read_models.history_rows import write_rows
from projections.fold import VERSIONS
from projections.ports import OPEN, Batch, Document, EncodedVersion

POLL_SECONDS = 0.05  # how late another process's writes are seen; writes of this process wake up at once
STREAMED = 1000

CLOSE = f"UPDATE document SET until=? WHERE kind=? AND id=? AND until={OPEN}"
OPEN_ONE = "INSERT INTO document(kind,id,since,until,body) VALUES (?,?,?,?,?)"
GET = "SELECT kind,id,since,until,body FROM document WHERE kind=? AND id=? AND since<=? ORDER BY since DESC LIMIT 1"
RANGE = "SELECT kind,id,since,until,body FROM document WHERE kind=? AND id>? AND id>=? AND id<?"
LIST_NOW = f"{RANGE} AND until={OPEN} ORDER BY id LIMIT ?"
LIST_AT = f"{RANGE} AND since<=? AND until>? ORDER BY id LIMIT ?"
ALL = "SELECT kind,id,since,until,body FROM document WHERE (kind,id,since) > (?,?,?) ORDER BY kind,id,since LIMIT ?"
ALL_ENCODED = ALL.replace("body", "ifnull(CAST(body AS BLOB), x'')", 1)
ADVANCE = "UPDATE progress SET position=? WHERE projection=?"
BEYOND_ALL = chr(0x10FFFF)


class SqliteDocuments:
    """`projections.ports.Documents` on a `ReadDatabase`."""

    def __init__(self, database: ReadDatabase) -> None:
        self._database = database
        self._applied = Condition()

    def position(self) -> int:
        with self._database.reading() as connection:
            return int(connection.execute("SELECT min(position) FROM progress").fetchone()[0])

    def positions(self) -> dict[str, int]:
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT projection, position FROM progress"))

    def apply(self, batch: Batch) -> None:
        with self._database.writing() as connection:
            _write_documents(connection, batch)
            write_rows(connection, batch.history)
            advanced = VERSIONS if batch.projections is None else batch.projections
            connection.executemany(ADVANCE, ((batch.position, name) for name in advanced))
        with self._applied:
            self._applied.notify_all()

    def get(self, kind: str, id: str, at: int | None = None) -> Document | None:
        position = OPEN if at is None else at
        with self._database.reading() as connection:
            row = connection.execute(GET, (kind, id, position)).fetchone()
        return _document(row) if row is not None and (row[3] == OPEN if at is None else row[3] > at) else None

    def list(
        self, kind: str, prefix: str = "", at: int | None = None, limit: int = 1000, after: str = ""
    ) -> list[Document]:
        bounds: tuple[Any, ...] = (kind, after, prefix, prefix + BEYOND_ALL)
        with self._database.reading() as connection:
            if at is None:
                rows = connection.execute(LIST_NOW, (*bounds, limit)).fetchall()
            else:
                rows = connection.execute(LIST_AT, (*bounds, at, at, limit)).fetchall()
        return [_document(row) for row in rows]

    def versions(self, kind: str, at: int | None = None, prefix: str = "") -> Iterator[Document]:
        after = ""
        while page := self.list(kind, prefix, at, STREAMED, after):
            yield from page
            if len(page) < STREAMED:
                return
            after = page[-1].id

    def all_versions(self) -> Iterator[Document]:
        """Stream every version, closed ones too; a body that is no JSON any more comes back as text."""
        after: tuple[Any, ...] = ("", "", -1)
        while page := self._page_of_all(after):
            yield from page
            after = (page[-1].kind, page[-1].id, page[-1].from_)

    def _page_of_all(self, after: tuple[Any, ...]) -> Sequence[Document]:
        with self._database.reading() as connection, readable_text(connection):
            rows = connection.execute(ALL, (*after, STREAMED)).fetchall()
        return [Document(kind, id, since, until, json_or_text(body)) for kind, id, since, until, body in rows]

    def all_encoded(self) -> Iterator[EncodedVersion]:
        after: tuple[Any, ...] = ("", "", -1)
        while True:
            with self._database.reading() as connection, readable_text(connection):
                rows = connection.execute(ALL_ENCODED, (*after, STREAMED)).fetchall()
            if not rows:
                return
            yield from rows
            after = rows[-1][:3]

    def encode(self, body: dict[str, Any]) -> bytes:
        return to_json(body)

    def wait(self, position: int, timeout: float) -> bool:
        end = monotonic() + timeout
        with self._applied:
            while self.position() < position:
                left = end - monotonic()
                if left <= 0:
                    return False
                self._applied.wait(min(left, POLL_SECONDS))
        return True


def _document(row: tuple[str, str, int, int, str]) -> Document:
    kind, id, since, until, body = row
    return Document(kind, id, since, until, from_json(body))


def _write_documents(connection: sqlite3.Connection, batch: Batch) -> None:
    """Close what was open before the batch; versions that the batch itself follows up are written closed already."""
    following: dict[tuple[str, str], int] = {}
    opened = []
    for kind, id, since, body in reversed(batch.documents):
        if body is not None:
            until = following.get((kind, id), OPEN)
            opened.append((kind, id, since, until, to_json(body).decode()))
        following[kind, id] = since
    connection.executemany(CLOSE, _closings(following))
    connection.executemany(OPEN_ONE, opened)


def _closings(first: dict[tuple[str, str], int]) -> Iterable[tuple[int, str, str]]:
    return ((since, kind, id) for (kind, id), since in first.items())
