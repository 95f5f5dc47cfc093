"""Changes the type, length, order and position of every value of every table: each is found, or changes nothing."""
# ruff: noqa: S608 - names of our own schema are pasted in

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.embedded.audit_log.request_ids import ANSWERS
from adapters.embedded.schema import Table
from tests.damage.bits import Outcome
from tests.damage.loose import loosened
from tests.damage.served import SCHEMAS, as_text, served
from tests.damage.verifying import first_fault

VALUES = {
    "as a blob": "CAST({0} AS BLOB)",
    "as text": "CAST({0} AS TEXT)",
    "as a whole number": "CAST({0} AS INTEGER)",
    "as a number": "CAST({0} AS REAL)",
    "as nothing": "NULL",
    "one byte more": "CAST(CAST({0} AS BLOB) || x'00' AS BLOB)",
    "one character more": "{0} || 'x'",
    "one byte less": "substr({0}, 2)",
    "one more": "{0} + 1",
    "one less": "{0} - 1",
    "zero": "0",
    "below zero": "-{0} - 1",
    "far away": "{0} + 1000000007",
    "empty": "''",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: a statement, and its values."""

    name: str
    statement: str
    values: tuple[Any, ...]


def changes_of(table: Table, connection: sqlite3.Connection) -> Iterator[Change]:
    """Yield every change of every row of a table."""
    key = keys_of(table)
    where = " AND ".join(f"{name} IS ?" for name in key)
    rows = connection.execute(f"SELECT {', '.join(key)} FROM {table.name}").fetchall()
    for number, row in enumerate(rows):
        named = f"{table.name} {row}"
        for column in table.columns:
            for name, value in VALUES.items():
                sql = f"UPDATE {table.name} SET {column.name} = {value.format(column.name)} WHERE {where}"
                yield Change(f"{named}: {column.name} {name}", sql, row)
            other = rows[(number + 1) % len(rows)]
            if column.name not in key and other != row:
                value = f"(SELECT {column.name} FROM {table.name} WHERE {where})"
                sql = f"UPDATE {table.name} SET {column.name} = {value} WHERE {where}"
                yield Change(f"{named}: {column.name} of the next row", sql, (*other, *row))
        if table is not ANSWERS:  # they go after a minute, and nobody misses them
            yield Change(f"{named}: gone", f"DELETE FROM {table.name} WHERE {where}", row)


def keys_of(table: Table) -> tuple[str, ...]:
    """Return the columns that identify a row."""
    if not table.without_rowid:
        return ("rowid",)
    of_more = table.more.removeprefix("PRIMARY KEY(").removesuffix(")")
    return tuple(of_more.split(",")) if of_more else table.key


def all_changes(data: Path) -> Iterator[tuple[str, Change]]:
    """Yield each change with its file."""
    for file, layout in SCHEMAS.items():
        connection = sqlite3.connect(data / file)
        connection.text_factory = as_text
        for table in layout.tables:
            for change in list(changes_of(table, connection)):
                yield file, change
        connection.close()


def sweep_values(data: Path, every: int = 1) -> Outcome:
    """Make each change, or every so many-th, to a file and take it back; keys that forbid one count as found."""
    outcome = Outcome()
    true = {file: (served(data, file), (data / file).read_bytes()) for file in SCHEMAS}
    for number, (file, change) in enumerate(all_changes(data)):
        if number % every:
            continue
        verdict = verdict_of(data, file, change, true[file][0])
        outcome.counts[file, verdict] += 1
        if verdict == "missed":
            outcome.missed.append((f"{file}: {change.name}", number))
        restore(data / file, true[file][1])
    return outcome


def verdict_of(data: Path, file: str, change: Change, before: Any) -> str:
    """Make a change and say what came of it."""
    try:
        with loosened(data / file) as connection:
            connection.execute(change.statement, change.values)
    except sqlite3.IntegrityError:
        return "refused by a key"
    if served(data, file) == before:
        return "without effect"
    return "missed" if first_fault(data, file) is None else "found"


def restore(path: Path, content: bytes) -> None:
    """Put a file back as it was."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh = path.with_name("restored")
    fresh.write_bytes(content)
    shutil.move(fresh, path)
