"""Files brought to the layout of today: new ones are made, those of an older format are copied, whole or not at all."""
# ruff: noqa: S608 - constants and names of the schema are pasted in

from __future__ import annotations

import sqlite3
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.embedded.database import Database
from adapters.embedded.tables import Layout, Table, columns_of
from domain.errors import ConflictError

OLD: Final = "old_{}"
EXISTS: Final = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"


def prepare(database: Database, layout: Layout) -> None:
    """Make the tables, or copy those of an older format, in one transaction.

    Raises ConflictError for a file of a newer version, and for a stored value that does not fit; nothing is changed.
    """
    with database.writing() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == layout.version:
            return
        if version > layout.version:
            msg = f"A newer AutoLearn wrote {database.path} (format {version}; this version knows {layout.version})."
            raise ConflictError(msg, found=version, known=layout.version)
        old = [table for table in layout.tables if connection.execute(EXISTS, (table.name,)).fetchone()]
        for table in old:
            connection.execute(f"ALTER TABLE {table.name} RENAME TO {OLD.format(table.name)}")
            check_fits(connection, table, database.path)
        for table in layout.tables:
            connection.execute(table.statement)
        for table in old:
            _copy(connection, table)
        for statement in layout.statements[len(layout.tables) :]:
            connection.execute(statement)


def check_fits(connection: sqlite3.Connection, table: Table, path: str) -> None:
    """Raise ConflictError for the first value of a table to be copied that would not be stored as it is."""
    for misfit in islice(table.misfits(connection, OLD.format(table.name)), 1):
        raise ConflictError(
            f"{Path(path).name} cannot be brought to the format of this version, as something else than AutoLearn"
            f" changed it: {misfit}. Nothing was changed now: restore the file from a back-up, or mend that row."
        )


def _copy(connection: sqlite3.Connection, table: Table) -> None:
    old = OLD.format(table.name)
    known = columns_of(connection, old)
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(column.name if column.name in known else column.before for column in table.columns)
    connection.execute(f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {old} ORDER BY {', '.join(table.key)}")
    connection.execute(f"DROP TABLE {old}")
