"""The SQLite file of the read models: one writing connection, several that read, exchangeable while it serves.

Disposable: what a crash of the machine takes from it is folded again from the log, so commits are not flushed each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import from_json

from adapters.embedded.database import SqliteFile, Transaction, identity_of, translated_errors
from adapters.embedded.integrity import content_faults
from adapters.embedded.read_models.checks import read_model_faults
from adapters.embedded.read_models.outdated import clear, clear_outdated
from adapters.embedded.read_models.schema import READ_MODELS

T = TypeVar("T")

READER_CACHE_KIB = 4000
WRITER_CACHE_KIB = 4000
BUSY_SECONDS = 10.0
PAGE_BYTES = 8192  # a whole experiment fits beside its key; in pages of 4096 each took one of its own besides


class ReadDatabase(SqliteFile):
    """The file of the read models. Raises NotAbleError where SQLite cannot go on."""

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        immutable: bool = False,
        cache_kib: int = WRITER_CACHE_KIB,
    ) -> None:
        super().__init__(
            path,
            read_only=read_only,
            immutable=immutable,
            busy_seconds=BUSY_SECONDS,
            reader_cache_kib=READER_CACHE_KIB,
            pragmas=(f"page_size={PAGE_BYTES}", "synchronous=NORMAL", f"cache_size=-{cache_kib}"),
        )
        with translated_errors(self.path):
            if not read_only:
                self._writing_connection()
            self._identity = identity_of(self.path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; whatever goes wrong, nothing of it is stored."""
        with self._turn, translated_errors(self.path), Transaction(self._writing_connection()) as connection:
            yield connection

    def switch(self, path: str | Path) -> None:
        """Go on with another file; readers of the old one finish there."""
        with self._turn, translated_errors(str(path)):
            fresh = self._connect_writer(str(path))
            with self._pool:
                self._close_connections()
                self._writer, self.path = fresh, str(path)
                self._identity = identity_of(self.path)

    def copy_without(self, projection: str, path: Path) -> None:
        """Make a file with all that is in this one, as of one moment, but for a projection that is to be rebuilt."""
        with self.reading() as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
            source.backup(copy)
            with Transaction(copy):
                clear(copy, projection)

    def is_in_place(self) -> bool:
        """Tell whether the file that was opened for writing is still the one at its path."""
        return self._identity == identity_of(self.path)

    def faults(self) -> list[str]:
        """Return what is wrong with the file, besides what a comparison with the log shows."""
        return content_faults(self.path, self.reading, READ_MODELS, read_model_faults)

    def _connect_writer(self, path: str) -> sqlite3.Connection:
        connection = super()._connect_writer(path)
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            connection.executescript(f"BEGIN IMMEDIATE;{';'.join(READ_MODELS.statements)};COMMIT")
        with suppress(sqlite3.Error):  # damage is for `verify` to tell and for `rebuild` to mend
            clear_outdated(connection)
        return connection


def read_readably(connection: sqlite3.Connection, read: Callable[[], T]) -> T:
    """Return what a function reads, texts that are no UTF-8 any more as something, for whoever looks for damage."""
    try:
        return read()
    except (sqlite3.OperationalError, UnicodeDecodeError):  # either says that a text cannot be decoded
        connection.text_factory = _readable
        try:
            return read()
        finally:
            connection.text_factory = str


def json_or_text(stored: str | bytes | None) -> Any:
    """Return the JSON value, or (of a damaged file) what is there instead."""
    try:
        return from_json(stored or "")
    except ValueError:
        return {"unreadable": str(stored)}


def _readable(stored: bytes) -> str:
    return stored.decode("utf-8", "backslashreplace")
