"""Tables of SQLite as values: what creates them, what finds rows that do not fit, and what migrates older files.

One place says what a column holds. STRICT tables and CHECKs keep out what does not fit; `invalid_values` asks the same
of rows that an older version stored, or that somebody edited in the file.
"""
# ruff: noqa: S608 - constants and names of the schema are pasted in

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain.errors import ConflictError

if TYPE_CHECKING:
    from adapters.embedded.database import Database

FORMAT: Final = 2  # of a data directory and its logs; 1 had tables that were not STRICT
MAX_NAMED: Final = 20  # rows that are named in one check
KINDS: Final = {"integer": "a whole number", "real": "a number", "text": "text", "blob": "a blob", "null": "nothing"}
OLD: Final = "old_{}"
EXISTS: Final = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is never NULL. `check` is a condition in SQL, `key` is PRIMARY KEY or UNIQUE.

    `before` is the SQL of the value for rows that were stored before this column existed; `length` is that of a blob.
    """

    name: str
    type: str
    check: str = ""
    key: str = ""
    before: str = ""
    length: int | None = None

    @classmethod
    def blob(cls, name: str, length: int, key: str = "") -> Column:
        return cls(name, "BLOB", f"length({name}) = {length}", key, length=length)

    @classmethod
    def time(cls, name: str) -> Column:
        """Microseconds since 1970, within the years 1 to 9999."""
        return cls(name, "INTEGER", f"{name} BETWEEN -62135596800000000 AND 253402300799999999")

    @property
    def definition(self) -> str:
        check = f" CHECK ({self.check})" if self.check else ""
        return f"{self.name} {self.type} NOT NULL{self.key and ' ' + self.key}{check}"

    @property
    def fits(self) -> str:
        """SQL that is 1 where a stored value is of the type and meets the check."""
        typed = f"{self.name} IS NOT NULL" if self.type == "ANY" else f"typeof({self.name}) = '{self.type.lower()}'"
        return f"(({typed}) AND ({self.check or 'true'})) IS TRUE"


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
        parts = ", ".join([*(column.definition for column in self.columns), *filter(None, [self.more])])
        return f"CREATE TABLE {self.name} ({parts}) STRICT{', WITHOUT ROWID' * self.without_rowid}"

    def invalid_values(self, connection: sqlite3.Connection, stored_as: str = "") -> Iterator[str]:
        """Name values that do not fit, in this table or in one of another name that is to become it."""
        stored_as = stored_as or self.name
        known = [column for column in self.columns if column.name in _columns_of(connection, stored_as)]
        if len(known) < len(self.key):  # there is no such table: an older file, or the check of tables reports it
            return
        names, fits = ", ".join(self.key), ", ".join(column.fits for column in known)
        kinds = ", ".join(f"typeof({column.name}), length(CAST({column.name} AS BLOB))" for column in known)
        all_fit = " AND ".join(column.fits for column in known)
        query = f"SELECT {names}, {fits}, {kinds} FROM {stored_as} WHERE NOT ({all_fit}) LIMIT {MAX_NAMED}"
        for row in connection.execute(query):
            key, fit, kind = row[: len(self.key)], row[len(self.key) :], row[len(self.key) + len(known) :]
            row_name = f"{self.name} row {', '.join(map(as_text, key))}"
            for column, fitted, type_, length in zip(known, fit, kind[::2], kind[1::2], strict=False):
                if not fitted:
                    found = f"{KINDS[type_]} of {length} bytes" if type_ in {"text", "blob"} else KINDS[type_]
                    wanted = KINDS.get(column.type.lower(), "a value") + (column.check and f" with {column.check}")
                    yield f"{row_name}: {column.name} is {found}, and must be {wanted}"


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a file holds, and what its header says of it; `rows` are the statements that fill new tables."""

    application: int
    version: int
    tables: tuple[Table, ...]
    indexes: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        header = f"PRAGMA application_id = {self.application}", f"PRAGMA user_version = {self.version}"
        return (*(table.statement for table in self.tables), *self.indexes, *self.rows, *header)


def migrate(database: Database, schema: Schema) -> None:
    """Make the tables, or copy those of an older format, in one transaction.

    Raises ConflictError for a file of a newer version, and for a stored value that does not fit; nothing is changed.
    """
    with database.writing() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == schema.version:
            return
        if version > schema.version:
            msg = f"A newer AutoLearn wrote {database.path} (format {version}; this version knows {schema.version})."
            raise ConflictError(msg, found=version, known=schema.version)
        old = [table for table in schema.tables if connection.execute(EXISTS, (table.name,)).fetchone()]
        for table in old:
            connection.execute(f"ALTER TABLE {table.name} RENAME TO {OLD.format(table.name)}")
            for invalid in islice(table.invalid_values(connection, OLD.format(table.name)), 1):
                raise ConflictError(
                    f"{Path(database.path).name} cannot be brought to the format of this version, as something else"
                    f" than AutoLearn changed it: {invalid}. Nothing was changed now: restore the file from a back-up,"
                    " or mend that row."
                )
        for table in schema.tables:
            connection.execute(table.statement)
        for table in old:
            _copy(connection, table)
        for statement in schema.statements[len(schema.tables) :]:
            connection.execute(statement)


def as_text(value: Any) -> str:
    """Return a stored value as a sentence shows it."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _copy(connection: sqlite3.Connection, table: Table) -> None:
    old = OLD.format(table.name)
    known = _columns_of(connection, old)
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(column.name if column.name in known else column.before for column in table.columns)
    connection.execute(f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {old} ORDER BY {', '.join(table.key)}")
    connection.execute(f"DROP TABLE {old}")


def _columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; an old one numbers its rows without a column for it."""
    return {"rowid", *(name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))}
