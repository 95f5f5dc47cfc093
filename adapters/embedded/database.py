"""A SQLite file: one writing connection, a few that read beside it, and threads that wait for its log to grow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock, RLock
from typing import Final

from domain.errors import AutoLearnError, DiskReserveError, NotAbleError

MEMORY: Final = ":memory:"
UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)  # what SQLite says of damage need not be text itself
MAX_IDLE_READERS: Final = 4


class SqliteFile:
    """Connections to a file or to `:memory:` (one connection, taken in turns): one that writes, others to read with.

    `read_only` is for another process's file: it needs no lock and never changes a byte of the data. `immutable` is for
    one that nobody writes: nothing is made beside it. `pragmas` are of connections that write, as `name=value`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        immutable: bool = False,
        busy_seconds: float = 5.0,
        reader_cache_kib: int = 2000,
        pragmas: tuple[str, ...] = (),
    ) -> None:
        self.path, self.read_only, self._immutable = str(path), read_only, immutable
        self.in_memory = self.path == MEMORY
        self._busy_seconds, self._reader_cache_kib, self._pragmas = busy_seconds, reader_cache_kib, pragmas
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._turn = RLock()  # of the one that writes
        self._pool = Lock()  # of those that read, which never wait for a commit
        self._closed = False
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with; rows are plain tuples. Raises NotAbleError for an unreadable file."""
        with translated_errors(self.path):
            if self.in_memory:
                with self._turn:
                    yield self._writing_connection()
                return
            path, connection = self._borrow()
            try:
                yield connection
            finally:
                with self._pool:
                    if not self._closed and path == self.path and len(self._idle) < MAX_IDLE_READERS:
                        self._idle.append(connection)
                    else:
                        connection.close()

    def close(self) -> None:
        """Close the file; connections that are being read with are closed when they come back."""
        with self._turn, self._pool:
            self._closed = True
            self._close_connections()

    def _close_connections(self) -> None:
        for connection in [*self._idle, *([self._writer] if self._writer else [])]:
            connection.close()
        self._idle.clear()
        self._writer = None

    def _borrow(self) -> tuple[str, sqlite3.Connection]:
        with self._pool:
            path = self.path
            if self._closed:
                raise NotAbleError("The store is closed.")
            if self._idle:
                return path, self._idle.pop()
        if not self.read_only and self._writer is None:
            with self._turn:
                self._writing_connection()  # it makes the file
        connection = self._connect(reading_uri(path, immutable=self._immutable), uri=True)
        connection.execute(f"PRAGMA cache_size=-{self._reader_cache_kib}")
        return path, connection

    def _writing_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise NotAbleError("The store is closed.")
        if self.read_only:
            raise NotAbleError(f"{Path(self.path).name} is open for reading only.")
        self._writer = self._writer or self._connect_writer(self.path)
        return self._writer

    def _connect_writer(self, path: str) -> sqlite3.Connection:
        connection = self._connect(path)
        for pragma in (*self._pragmas, "journal_mode=WAL"):  # the size of a page is fixed from then on
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _connect(self, name: str, *, uri: bool = False) -> sqlite3.Connection:
        return sqlite3.connect(name, uri=uri, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)


class Database(SqliteFile):
    """The file of a log: what was written is on disk when `writing` is left."""

    def __init__(self, path: str | Path, *, read_only: bool = False, immutable: bool = False) -> None:
        pragmas = "synchronous=FULL", "wal_autocheckpoint=2000"
        super().__init__(path, read_only=read_only, immutable=immutable, pragmas=pragmas)
        self.tail_watcher = SqliteTailWatcher()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; whatever goes wrong, nothing of it is stored.

        Raises DiskReserveError for a full disk, NotAbleError for other trouble; a violated key is sqlite3's own error.
        A file that was taken away is NotAbleError: no restart would find what goes into it, so nobody may rely on it.
        """
        with self._turn:
            try:
                connection = self._writing_connection()
                self._check_place()  # also before: a repeat would find, and acknowledge, what was refused after
                with Transaction(connection):
                    yield connection
                self._check_place()
            except sqlite3.IntegrityError:
                raise
            except UNREADABLE as error:
                raise _translated(self.path, error) from error

    def _check_place(self) -> None:
        if self.in_memory:
            return
        now = identity_of(self.path)
        self._identity = self._identity or now
        if now is None or now != self._identity:
            raise NotAbleError(f"{self.path} was removed, renamed or replaced while it was served: nothing is stored.")


class SqliteTailWatcher:
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


class Transaction:
    """Commits what is written inside, or, whatever goes wrong, nothing of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


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
