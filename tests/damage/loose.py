"""A database file edited by one who knows SQLite: no type, check or NOT NULL holds, and the schema does not show it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

TYPES = re.compile(r" (?:TEXT|INTEGER|BLOB|REAL|ANY) NOT NULL(?! PRIMARY KEY)")
SET = "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?"
TABLES = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"


def change(path: Path, *statements: str) -> None:
    """Run statements on a file that takes any value in any column."""
    with loosened(path) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def loosened(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a connection to tables without rules; afterwards the schema is again what it was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        strict = dict(connection.execute(TABLES).fetchall())
    _rewrite(path, {name: loose(sql) for name, sql in strict.items()})
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        yield connection
    _rewrite(path, strict)


def loose(sql: str) -> str:
    """Return a table's statement without its rules."""
    return TYPES.sub(" ", sql).replace(" STRICT, WITHOUT", " WITHOUT").removesuffix(" STRICT")


def _rewrite(path: Path, tables: dict[str, str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        for name, sql in tables.items():
            connection.execute(SET, (sql, name))
        connection.execute(f"PRAGMA schema_version = {version + 1}")
