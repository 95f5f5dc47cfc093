"""Versioned documents in SQLite, and the transaction that writes them together with history rows and the position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from threading import Condition
from time import monotonic
from typing import Any

from pydantic_core import to_json

from adapters.embedded.read_models.database import ReadDatabase, read_readably
from adapters.embedded.read_models.history_rows import write_rows
from adapters.embedded.read_models.versions import MergedBodies, merged, write_documents
from projections.fold import VERSIONS
from projections.ports import OPEN, Batch, Document, EncodedVersion

POLL_SECONDS = 0.05  # how late another process's writes are seen; writes of this process wake up at once
STREAMED = 1000

FOUND = "SELECT kind,id,since,until,whole FROM document WHERE kind=?"
PARTS = """SELECT d.kind, d.id, d.since, d.until, v.body FROM ({}) d CROSS JOIN document v
           ON v.kind=d.kind AND v.id=d.id AND v.since BETWEEN d.whole AND d.since ORDER BY d.id, v.since"""
GET = PARTS.format(f"{FOUND} AND id=? AND since<=? ORDER BY since DESC LIMIT 1")
RANGE = f"{FOUND} AND id>? AND id>=? AND id<?"
LIST_NOW = PARTS.format(f"{RANGE} AND until={OPEN} ORDER BY id LIMIT ?")
LIST_AT = PARTS.format(f"{RANGE} AND since<=? AND until>? ORDER BY id LIMIT ?")
ALL = """SELECT kind,id,since,until,whole,body FROM document WHERE (kind,id,since) > (?,?,?)
         ORDER BY kind,id,since LIMIT ?"""
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
            write_documents(connection, batch)
            write_rows(connection, batch.history)
            advanced = VERSIONS if batch.projections is None else batch.projections
            connection.executemany(ADVANCE, ((batch.position, name) for name in advanced))
        with self._applied:
            self._applied.notify_all()

    def get(self, kind: str, id: str, at: int | None = None) -> Document | None:
        position = OPEN if at is None else at
        with self._database.reading() as connection:
            rows = connection.execute(GET, (kind, id, position)).fetchall()
        if not rows or (rows[0][3] != OPEN if at is None else rows[0][3] <= at):
            return None
        return _document(rows)

    def list(
        self, kind: str, prefix: str = "", at: int | None = None, limit: int = 1000, after: str = ""
    ) -> list[Document]:
        bounds: tuple[Any, ...] = (kind, after, prefix, prefix + BEYOND_ALL)
        with self._database.reading() as connection:
            if at is None:
                rows = connection.execute(LIST_NOW, (*bounds, limit)).fetchall()
            else:
                rows = connection.execute(LIST_AT, (*bounds, at, at, limit)).fetchall()
        return [_document(list(parts)) for _, parts in groupby(rows, itemgetter(1))]

    def versions(self, kind: str, at: int | None = None, prefix: str = "") -> Iterator[Document]:
        after = ""
        while page := self.list(kind, prefix, at, STREAMED, after):
            yield from page
            if len(page) < STREAMED:
                return
            after = page[-1].id

    def all_versions(self) -> Iterator[Document]:
        """Stream every version, closed ones too; a body that is no JSON any more comes back as text."""
        bodies = MergedBodies()
        for kind, id, since, until, whole, body in self._all_rows(ALL):
            yield Document(kind, id, since, until, bodies.of(kind, id, since, whole, body))

    def all_encoded(self) -> Iterator[EncodedVersion]:
        bodies = MergedBodies()
        for kind, id, since, until, whole, body in self._all_rows(ALL_ENCODED):
            yield kind, id, since, until, bodies.encoded(kind, id, since, whole, body)

    def _all_rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        after: tuple[Any, ...] = ("", "", -1)
        while rows := self._page_of_all(query, after):
            yield from rows
            after = rows[-1][:3]

    def _page_of_all(self, query: str, after: tuple[Any, ...]) -> Sequence[tuple[Any, ...]]:
        with self._database.reading() as connection:
            return read_readably(connection, lambda: connection.execute(query, (*after, STREAMED)).fetchall())

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


def _document(parts: Sequence[tuple[str, str, int, int, str]]) -> Document:
    """Return a version of the whole one that it builds on and the differences since then."""
    kind, id, since, until, _ = parts[0]
    return Document(kind, id, since, until, merged(body for *_, body in parts))
