"""Communications as rows of SQLite, and the filters of `log` as conditions on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Final

from adapters.audit_log.chain import facts_of
from adapters.audit_log.filters import EQUAL, wanted
from adapters.embedded.exact import Exact
from adapters.embedded.log.by_time import last_until
from adapters.log.times import to_microseconds
from projections.ports import Archived, Communication

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

# Conditions are chosen from this table and never built from what a caller sent.
CONDITIONS: Final = {name: f"{name} = ?" for name in EQUAL}

HASH_BYTES: Final = 32
FACTS: Final = {field.name: str(field.type) for field in fields(Communication)}
READ: Final[dict[str, Callable[[Exact, Any, str], Any]]] = {
    "str": Exact.text, "int": Exact.number, "float": Exact.real
}  # fmt: skip


def to_row(record: Archived) -> tuple[Any, ...]:
    """Return the row of a record."""
    place = (record.position, to_microseconds(record.at), record.writer, record.number, record.previous, record.hash)
    return (*place, *facts_of(record.communication))


def from_row(row: Iterable[Any]) -> Archived:
    """Return the record of a row that was read `as_stored`; what cannot have been stored so becomes its faults."""
    exact, cells = Exact("record"), iter(row)
    position, at = next(cells), exact.moment(next(cells), "at")
    writer, number = exact.text(next(cells), "writer"), exact.number(next(cells), "number")
    previous, record_hash = (exact.blob(next(cells), name, HASH_BYTES) for name in ("previous", "hash"))
    # Rows of an older file, which only its reader meets before a start copies it, end before the newest facts.
    facts = {name: READ[kind](exact, cell, name) for (name, kind), cell in zip(FACTS.items(), cells, strict=False)}
    return Archived(position, at, writer, number, previous, record_hash, Communication(**facts), tuple(exact.faults))


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
