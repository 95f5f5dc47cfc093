"""A SQLite file: one writing connection, a few that read beside it, and threads that wait for its log to grow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, RLock
from typing import Final

from domain.errors import AutoLearnError, DiskReserveError, NotAbleError

MEMORY: Final = ":memory:"
UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)  # what SQLite says of damage need not be text itself
MAX_IDLE_READERS: Final = 4
BUSY_SECONDS: Final = 5.0
CHECKPOINT_PAGES: Final = 2000


class Database:
    """A file, or `:memory:` (one connection, taken in turns). What was written is on disk when `writing` is left.

    `read_only` is for another process's file: it needs no lock and never changes a byte of the data. `immutable` is for
    one that nobody writes: nothing is made beside it.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False, immutable: bool = False) -> None:
        self.path, self.read_only, self._immutable = str(path), read_only, immutable
        self.in_memory = self.path == MEMORY
        self.tail_watcher = TailWatcher()
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._turn = RLock()
        self._closed = False
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; whatever goes wrong, nothing of it is stored.

        Raises DiskReserveError for a full disk, NotAbleError for other trouble; a violated key is sqlite3's own error.
        A file that was taken away is NotAbleError: no restart would find what goes into it, so nobody may rely on it.
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
                if connection is not None and connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, UNREADABLE) and not isinstance(error, sqlite3.IntegrityError):
                    raise _translated(self.path, error) from error
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with; rows are plain tuples. Raises NotAbleError for an unreadable file."""
        with translated_errors(self.path):
            if self.in_memory:
                with self._turn:
                    self._writer = self._writer or self._connect()
                    yield self._writer
            else:
                connection = self._idle.pop() if self._idle else self._connect()
                try:
                    yield connection
                finally:
                    if self._closed or len(self._idle) >= MAX_IDLE_READERS:
                        connection.close()
                    else:
                        self._idle.append(connection)

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


class TailWatcher:
    """Wakes threads that wait for the log in a file to grow by what this process writes."""

    def __init__(self) -> None:
        self._position = 0
        self._grown = Condition()

    def reach(self, position: int) -> None:
        """Say that everything up to a position is durable."""
        with self._grown:
            self._position = max(self._position, position)
            self._grown.notify_all()

    def wait_beyond(self, position: int, timeout: float) -> bool:
        with self._grown:
            return self._grown.wait_for(lambda: self._position > position, timeout)


def reading_uri(path: str | Path, *, immutable: bool = False) -> str:
    """Name a file for SQLite to read only; it reads an immutable one without locks, and makes nothing beside it."""
    return f"{Path(path).absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"


def identity_of(path: str) -> tuple[int, int] | None:
    """Return what tells the file at a path from every other one; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - twice per commit, and Path would cost more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def translated_errors(path: str) -> Iterator[None]:
    """Turn SQLite's errors into those of the one error tree."""
    try:
        yield
    except UNREADABLE as error:
        raise _translated(path, error) from error


def _translated(path: str, error: Exception) -> AutoLearnError:
    name = Path(path).name
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return DiskReserveError(f"The disk is full: nothing could be written to {name}, and nothing was.")
    return NotAbleError(f"{name} cannot be read or written: {error}.")
