"""One SQLite file as a datastore of the `eventsourcing` library: one writing connection, a few that read beside it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Final

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from adapters.embedded.integrity import Check, content_faults
from adapters.embedded.log.tail_watcher import Growth
from adapters.embedded.schema import Schema
from domain.errors import AutoLearnError, DiskReserveError, NotAbleError

MEMORY: Final = ":memory:"
UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
MAX_IDLE_READERS = 4
READER_CACHE_KIB = 1000
BUSY_SECONDS = 5.0
CHECKPOINT_PAGES = 2000


class Database(SQLiteDatastore):
    """A file, or `:memory:` (one connection, taken in turns). What was written is on disk when `writing` is left.

    `read_only` is for another process's file: it needs no lock and never changes a byte of the data. One that nobody
    writes (`immutable`) is read as it lies, and nothing is made beside it.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False, immutable: bool = False) -> None:
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._turn = RLock()
        self._closed = False
        self._identity: tuple[int, int] | None = None
        super().__init__(str(path), originator_id_type="text")
        self.path, self.read_only, self._immutable = str(path), read_only, immutable
        self.in_memory = self.path == MEMORY
        self.growth = Growth()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; whatever goes wrong, nothing of it is stored.

        Raises DiskReserveError for a full disk, NotAbleError for other trouble; a violated key is sqlite3's own error.
        Of a file that was taken away NotAbleError: what goes into it no restart would find, so nobody may rely on it.
        """
        with self._turn:
            connection = self._writer
            try:
                connection = self._writer = connection or self._connect()
                self._check_place()
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                self._check_place()
            except BaseException as error:
                _roll_back(connection)
                if isinstance(error, UNREADABLE) and not isinstance(error, sqlite3.IntegrityError):
                    raise our_error(self.path, error) from error
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with; rows are plain tuples. Raises NotAbleError for an unreadable file."""
        with as_ours(self.path):
            if self.in_memory:
                with self._turn:
                    self._writer = self._writer or self._connect()
                    yield self._writer
            else:
                connection = self._idle.pop() if self._idle else self._connect()
                try:
                    yield connection
                finally:
                    self._put_back(connection)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """Lend a cursor as the library's recorders expect it, with the library's errors."""
        with self.writing() if commit else self.reading() as connection:
            cursor = connection.cursor()
            cursor.row_factory = sqlite3.Row
            if commit:
                yield SQLiteCursor(cursor)
            else:
                with SQLiteConnection(connection, max_age=None).transaction(commit=False):
                    yield SQLiteCursor(cursor)

    def faults(self, layout: Schema, *more: Check) -> list[str]:
        """Return what is wrong with the file, which should have this layout; `more` looks at what its rows say."""
        return content_faults(self.path, self.reading, layout, *more)

    def close(self) -> None:
        """Close the file; connections that are being read with are closed when they come back."""
        self._closed = True
        with self._turn:
            for connection in [*self._idle, *([self._writer] if self._writer else [])]:
                connection.close()
            self._idle.clear()
            self._writer = None

    def _check_place(self) -> None:
        if self.in_memory:
            return
        now = identity_of(self.path)
        self._identity = self._identity or now
        if now is None or now != self._identity:
            raise NotAbleError(f"{self.path} was removed, renamed or replaced while it was served: nothing is stored.")

    def _put_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= MAX_IDLE_READERS:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise NotAbleError("The store is closed.")
        name = reading_uri(self.path, immutable=self._immutable) if self.read_only else self.path
        connection = sqlite3.connect(
            name, uri=self.read_only, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        if not self.read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        return connection


def reading_uri(path: str | Path, *, immutable: bool = False) -> str:
    """Name a file for SQLite to read only; it takes one that nobody writes as it lies."""
    return f"{Path(path).absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"


def identity_of(path: str) -> tuple[int, int] | None:
    """Return what tells the file at a path from every other one; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - twice per commit, and Path would cost more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _roll_back(connection: sqlite3.Connection | None) -> None:
    if connection is not None and connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def as_ours(path: str) -> Iterator[None]:
    """Turn SQLite's errors into those of the one error tree; what it says of damage need not be text itself."""
    try:
        yield
    except UNREADABLE as error:
        raise our_error(path, error) from error


def our_error(path: str, error: Exception) -> AutoLearnError:
    """Name what SQLite ran into."""
    name = Path(path).name
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return DiskReserveError(f"The disk is full: nothing could be written to {name}, and nothing was.")
    return NotAbleError(f"{name} cannot be read or written: {error}.")
