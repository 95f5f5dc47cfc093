"""Communications as rows of SQLite, and the filters of `log` as conditions on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from adapters.embedded.by_time import last_until
from adapters.wire.communication_chain import facts_of
from adapters.wire.communication_filters import EQUAL, wanted
from adapters.wire.moments import EPOCH, from_microseconds, to_microseconds
from projections.ports import Archived, Communication

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS communications (
    position INTEGER PRIMARY KEY, at INTEGER NOT NULL, writer TEXT NOT NULL, number INTEGER NOT NULL,
    previous BLOB NOT NULL, hash BLOB NOT NULL,
    kind TEXT NOT NULL, actor TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, operation TEXT NOT NULL,
    outcome TEXT NOT NULL, problem TEXT NOT NULL, milliseconds REAL NOT NULL, bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL, correlation TEXT NOT NULL, causation TEXT NOT NULL, domain_position INTEGER NOT NULL,
    digest_in TEXT NOT NULL, digest_out TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 1, head TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS communications_by_correlation ON communications (correlation);
CREATE UNIQUE INDEX IF NOT EXISTS communications_by_writer ON communications (writer, number);
"""
INSERT: Final = "INSERT INTO communications VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
AFTER: Final = "SELECT * FROM communications WHERE position > ? ORDER BY position LIMIT ?"
LAST: Final = (
    "SELECT * FROM (SELECT * FROM communications WHERE position > 0 ORDER BY position DESC LIMIT ?) ORDER BY position"
)
END: Final = "SELECT position, at, hash FROM communications WHERE position > 0 ORDER BY position DESC LIMIT 1"
LAST_NUMBER: Final = "SELECT max(number) FROM communications WHERE writer = ?"
LAST_AT: Final = (
    "SELECT position, at FROM communications WHERE position > 0 AND position <= ? ORDER BY position DESC LIMIT 1"
)
MISPLACED: Final = "SELECT position FROM communications WHERE position < 1 ORDER BY position LIMIT ?"
EXTEND: Final = (
    "ALTER TABLE communications RENAME TO older_communications",
    "DROP INDEX communications_by_correlation",
    "DROP INDEX communications_by_writer",
    *filter(str.strip, SCHEMA.split(";")),
    "INSERT INTO communications SELECT *, 1, '' FROM older_communications",
    "DROP TABLE older_communications",
)

# Conditions are chosen from this table and never built from what a caller sent.
CONDITIONS: Final = {name: f"{name} = ?" for name in EQUAL}


def to_row(record: Archived) -> tuple[Any, ...]:
    """Return the row of a record."""
    place = (record.position, to_microseconds(record.at), record.writer, record.number, record.previous, record.hash)
    return (*place, *facts_of(record.communication))


def from_row(row: Iterable[Any]) -> Archived:
    """Return the record of a row."""
    position, at, writer, number, previous, record_hash, *facts = row
    names = [field.name for field in fields(Communication)]
    communication = Communication(**dict(zip(names, facts, strict=True)))
    return Archived(position, _moment(at), writer, number, previous, record_hash, communication)


def extend(connection: sqlite3.Connection) -> None:
    """Copy the table of an older version, which had no `count` and no `head`, into one of this version."""
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(communications)")}
    if columns and "count" not in columns:
        for statement in EXTEND:
            connection.execute(statement)


def readable(stored: bytes) -> str:
    """Return a text even where damage left none, so that verify can name the record."""
    return stored.decode("utf-8", "backslashreplace")


def _moment(stored: Any) -> datetime:
    try:
        return from_microseconds(stored)
    except (TypeError, OverflowError):
        return EPOCH  # damaged: the record's hash will tell


def selection(connection: sqlite3.Connection, filters: dict[str, str], before: int | None) -> tuple[str, list[Any]]:
    """Return a WHERE clause and its values; times become positions, as they never go back."""
    asked = wanted(filters)
    conditions, values = ["position > 0", "position < ?"], list[Any]([before if before is not None else 2**62])
    for name, value in asked.equal.items():
        conditions.append(CONDITIONS[name])
        values.append(value)
    if asked.since is not None:
        conditions.append("position > ?")
        values.append(last_until(connection, LAST_AT, asked.since - 1))
    if asked.until is not None:
        conditions.append("position <= ?")
        values.append(last_until(connection, LAST_AT, asked.until))
    return " AND ".join(conditions), values
