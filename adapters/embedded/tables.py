"""Tables of SQLite as values: what makes them, and what finds rows that they would not take, in whatever table.

One place says what a column holds. STRICT tables and CHECKs keep out what does not fit; `misfits` asks the same of rows
that came in another way: by an older version, or by a hand that edited the file.
"""
# ruff: noqa: S608 - constants and names of the schema are pasted in

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 20  # rows that are named
KINDS: Final = {"integer": "a whole number", "real": "a number", "text": "text", "blob": "a blob", "null": "nothing"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is never NULL. `holds`: what else is true of its values, as SQL; `key`: PRIMARY KEY or UNIQUE.

    `before` is the SQL of the value for rows that were stored before there was this column.
    """

    name: str
    type: str
    holds: str = ""
    key: str = ""
    before: str = ""

    @property
    def definition(self) -> str:
        """Return the column's part of CREATE TABLE."""
        check = f" CHECK ({self.holds})" if self.holds else ""
        return f"{self.name} {self.type} NOT NULL{self.key and ' ' + self.key}{check}"

    @property
    def fits(self) -> str:
        """Return SQL that is 1 where a stored value is of the type and as it must be."""
        typed = f"{self.name} IS NOT NULL" if self.type == "ANY" else f"typeof({self.name}) = '{self.type.lower()}'"
        return f"(({typed}) AND ({self.holds or 'true'})) IS TRUE"


@dataclass(frozen=True, slots=True)
class Table:
    """A STRICT table; `key` are the columns that name a row in a sentence, `more` its other constraints."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    more: str = ""
    without_rowid: bool = False

    @property
    def statement(self) -> str:
        """Return CREATE TABLE."""
        parts = ", ".join([*(column.definition for column in self.columns), *filter(None, [self.more])])
        return f"CREATE TABLE {self.name} ({parts}) STRICT{', WITHOUT ROWID' * self.without_rowid}"

    def misfits(self, connection: sqlite3.Connection, stored_as: str = "") -> Iterator[str]:
        """Name values that do not fit, in the table of this name, or of another that is to become it."""
        known = [column for column in self.columns if column.name in columns_of(connection, stored_as or self.name)]
        if len(known) < len(self.key):  # there is no such table: an older file, or one whose tables are told
            return
        names, fits = ", ".join(self.key), ", ".join(column.fits for column in known)
        kinds = ", ".join(f"typeof({column.name}), length(CAST({column.name} AS BLOB))" for column in known)
        fitting = " AND ".join(column.fits for column in known)
        query = f"SELECT {names}, {fits}, {kinds} FROM {stored_as or self.name} WHERE NOT ({fitting}) LIMIT {MOST}"
        for row in connection.execute(query):
            key, fit, kind = row[: len(self.key)], row[len(self.key) :], row[len(self.key) + len(known) :]
            row_name = f"{self.name} row {', '.join(map(told, key))}"
            for column, fitted, type_, length in zip(known, fit, kind[::2], kind[1::2], strict=False):
                if not fitted:
                    yield f"{row_name}: {column.name} is {_kind(type_, length)}, and must be {_wanted(column)}"


@dataclass(frozen=True, slots=True)
class Layout:
    """All that a file holds, and what its header says of it; `first` are the statements that fill new tables."""

    application: int
    version: int
    tables: tuple[Table, ...]
    indexes: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """Return what makes a new file."""
        header = f"PRAGMA application_id = {self.application}", f"PRAGMA user_version = {self.version}"
        return (*(table.statement for table in self.tables), *self.indexes, *self.first, *header)


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; an old one numbers its rows without a column for it."""
    return {"rowid", *(name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))}


def told(value: Any) -> str:
    """Return a stored value as a sentence shows it."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _kind(type_: str, length: int | None) -> str:
    return f"{KINDS[type_]} of {length} bytes" if type_ in {"text", "blob"} else KINDS[type_]


def _wanted(column: Column) -> str:
    kind = KINDS.get(column.type.lower(), "a value")
    return f"{kind} with {column.holds}" if column.holds else kind
