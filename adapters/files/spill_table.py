"""A temporary table on disk: an unnamed SQLite file, which SQLite deletes itself, even after a crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from pydantic_core import from_json, to_json

from domain.errors import DiskReserveError, NotAbleError
from projections.ports import Entry

UNNAMED: Final = ""  # stays in the cache while it is small, then goes to TMPDIR or /var/tmp
CACHE_KIB: Final = 16_000
FETCHED: Final = 500

# Rows in the order they come and a narrow index beside them: ids are random, bodies would be written all over the file.
# Nothing is ever rolled back, so there is no journal.
SCHEMA: Final = f"""
PRAGMA cache_size=-{CACHE_KIB}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE entry(kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, value BLOB NOT NULL);
CREATE UNIQUE INDEX entry_by_id ON entry(kind, id);
BEGIN"""
PUT: Final = "INSERT OR IGNORE INTO entry VALUES (?,?,?,?)"
TAKE: Final = "DELETE FROM entry WHERE kind=? AND id=? RETURNING position, value"
DROP: Final = "DELETE FROM entry WHERE kind=? AND id=?"
ALL: Final = "SELECT kind, id, position, value FROM entry WHERE ?1 IS NULL OR kind=?1"


class SqliteSpillTable:
    """`projections.ports.SpillTable`; a context manager that closes itself."""

    def __init__(self) -> None:
        with _translated_errors():
            self._connection = sqlite3.connect(UNNAMED, isolation_level=None, check_same_thread=False)
            self._connection.executescript(SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, entries: Iterable[Entry]) -> None:
        rows = ((kind, id, at, to_json(value, inf_nan_mode="constants")) for kind, id, at, value in entries)
        with _translated_errors():
            self._connection.executemany(PUT, rows)

    def take(self, kind: str, id: str) -> tuple[int, Any] | None:
        with _translated_errors():
            row = self._connection.execute(TAKE, (kind, id)).fetchone()
        return None if row is None else (row[0], from_json(row[1]))

    def drop(self, kind: str, ids: Iterable[str]) -> None:
        with _translated_errors():
            self._connection.executemany(DROP, ((kind, id) for id in ids))

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        with _translated_errors():
            found = self._connection.execute(ALL, (kind,))
            while rows := found.fetchmany(FETCHED):
                yield from ((kind, id, at, from_json(value)) for kind, id, at, value in rows)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            full = "The disk of temporary files is full: let TMPDIR name a folder with more room."
            raise DiskReserveError(full) from error
        raise NotAbleError(f"The temporary file cannot be read or written: {error}.") from error
