"""The SQLite file of the read models: one writing connection, several that read, exchangeable while it serves.

Disposable: what a crash of the machine takes from it is folded again from the log, so commits are not flushed each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final

from pydantic_core import from_json

from adapters.embedded.database import identity_of, reading_uri, translated_errors
from adapters.embedded.integrity import content_faults
from adapters.embedded.read_models.checks import read_model_faults
from adapters.embedded.read_models.outdated import clear, clear_outdated
from adapters.embedded.read_models.schema import READ_MODELS
from domain.errors import NotAbleError

MEMORY: Final = ":memory:"
MAX_IDLE_READERS = 4
READER_CACHE_KIB = 4000
WRITER_CACHE_KIB = 4000
BUSY_SECONDS = 10.0


class ReadDatabase:
    """A file, or `:memory:` (one connection, taken in turns). Raises NotAbleError where SQLite cannot go on.

    `read_only` and `immutable` as of `Database`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        immutable: bool = False,
        cache_kib: int = WRITER_CACHE_KIB,
    ) -> None:
        self.path = str(path)
        self.read_only, self._immutable = read_only, immutable
        self._cache_kib = cache_kib
        self._in_memory = self.path == MEMORY
        self._turn = RLock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._identity: tuple[int, int] | None = None
        with translated_errors(self.path):
            self._writer: sqlite3.Connection | None = None if read_only else self._prepared(self.path)
            self._identity = identity_of(self.path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; whatever goes wrong, nothing of it is stored."""
        with self._turn, translated_errors(self.path):
            if self._writer is None:
                raise NotAbleError("These read models are open for reading only, or closed.")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with."""
        with translated_errors(self.path):
            if self._in_memory and self._writer is not None:
                with self._turn:
                    yield self._writer
                return
            path, connection = self._borrow()
            try:
                yield connection
            finally:
                self._put_back(path, connection)

    def switch(self, path: str | Path) -> None:
        """Go on with another file; whoever reads the old one now finishes there."""
        with self._turn, translated_errors(str(path)):
            fresh = self._prepared(str(path))
            old, self._writer, self.path = self._writer, fresh, str(path)
            self._identity = identity_of(self.path)
            for connection in [*self._idle, *([old] if old else [])]:
                connection.close()
            self._idle.clear()

    def copy_without(self, projection: str, path: Path) -> None:
        """Make a file with all that is in this one, as of one moment, but for a projection that is to be rebuilt."""
        with self.reading() as connection, closing(sqlite3.connect(path, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("BEGIN IMMEDIATE")
            clear(copy, projection)
            copy.execute("COMMIT")

    def is_in_place(self) -> bool:
        """Whether the file that was opened for writing is still the one at its path."""
        return self._identity == identity_of(self.path)

    def faults(self) -> list[str]:
        """Return what is wrong with the file, besides what a comparison with the log shows."""
        return content_faults(self.path, self.reading, READ_MODELS, read_model_faults)

    def close(self) -> None:
        """Close the file; connections that are being read with are closed when they come back."""
        with self._turn:
            self._closed = True
            for connection in [*self._idle, *([self._writer] if self._writer else [])]:
                connection.close()
            self._idle.clear()
            self._writer = None

    def _borrow(self) -> tuple[str, sqlite3.Connection]:
        with self._turn:
            if self._closed:
                raise NotAbleError("The read models are closed.")
            return self.path, self._idle.pop() if self._idle else _reader(self.path, immutable=self._immutable)

    def _put_back(self, path: str, connection: sqlite3.Connection) -> None:
        with self._turn:
            if not self._closed and path == self.path and len(self._idle) < MAX_IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _prepared(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA cache_size=-{self._cache_kib}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            connection.executescript(f"BEGIN IMMEDIATE;{';'.join(READ_MODELS.statements)};COMMIT")
        with suppress(sqlite3.Error):  # damage is for `verify` to tell and for `rebuild` to mend
            clear_outdated(connection)
        return connection


def _reader(path: str, *, immutable: bool) -> sqlite3.Connection:
    name = reading_uri(path, immutable=immutable)
    connection = sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA cache_size=-{READER_CACHE_KIB}")
    return connection


@contextmanager
def readable_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read texts that are no UTF-8 any more as something, for whoever looks for damage."""
    connection.text_factory = _readable
    try:
        yield
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
