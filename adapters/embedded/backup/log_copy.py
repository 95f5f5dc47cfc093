"""A log copied entry by entry, as it is, into a SQLite file that no other process has open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, Generic

from adapters.embedded.database import Database
from adapters.embedded.log.engine import LogReader, LogSchema
from adapters.embedded.schema import migrate
from adapters.log.chain import Chain, E, LastEntry
from domain.errors import ConflictError

BATCH: Final = 2000  # entries of one transaction


class LogCopy(Generic[E]):
    """The copy of a log in a file, which is made where there is none.

    `title` names the log in sentences; `advice` says what follows from damage of what is copied.
    """

    def __init__(self, path: Path, schema: LogSchema[E], title: str, advice: str = "") -> None:
        self._schema, self._title, self._advice = schema, title, advice
        self._database = ExclusiveDatabase(path)
        try:
            migrate(self._database, schema.file)
            with self._database.writing() as connection:
                self.last = LogReader(self._database, schema).last_entry_in(connection)
        except BaseException:
            self.close()
            raise

    def run(self, entries: Iterable[E], chain: Chain[E]) -> Iterator[int]:
        """Write entries that follow the last one; yields the position reached after each transaction.

        An entry that does not have its hash is not written, nor what follows: ConflictError.
        """
        following = iter(entries)
        while batch := list(islice(following, BATCH)):
            sound, what = list[E](), None
            for entry in batch:
                if what := chain.fault(entry):
                    break
                sound.append(entry)
            with self._database.writing() as connection:
                self._schema.insert(connection, sound)
            self.last = LastEntry.of(sound[-1]) if sound else self.last
            if what:
                raise ConflictError(
                    f"{self._title} is damaged after position {self.last.position}: {what}. {self._advice}",
                    position=self.last.position,
                )
            yield self.last.position

    def close(self) -> None:
        """Close the file, which then is whole: SQLite leaves no write-ahead log beside it."""
        self._database.close()


class ExclusiveDatabase(Database):
    """A log's file that only this connection uses, so that SQLite needs no shared memory: network disks have none."""

    def _connect_writer(self, path: str) -> sqlite3.Connection:
        connection = self._connect(path)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", *self._pragmas):
            connection.execute(f"PRAGMA {pragma}")
        return connection


def entries_until(read: Callable[[int, int], list[E]], after: int, until: int) -> Iterator[E]:
    """Yield the entries of a log after a position, up to another one."""
    while after < until and (entries := read(after, BATCH)):
        for entry in entries:
            if entry.position > until:
                return
            yield entry
        after = max(entries[-1].position, after + 1)  # a damaged place must not be read for ever
