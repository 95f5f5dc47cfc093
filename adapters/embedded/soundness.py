"""What is wrong with a SQLite file as a file: its pages, its indexes, and tables that are not those AutoLearn makes.

Bytes in space that nothing uses are no part of what is stored, and are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Final

from domain.errors import NotAbleError

MOST: Final = 20
TABLES: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema"


def file_faults(
    path: str, reading: Callable[[], AbstractContextManager[sqlite3.Connection]], schema: Iterable[str]
) -> list[str]:
    """Return a sentence for each fault; `schema` are the statements that make a new file."""
    name = Path(path).name
    try:
        with reading() as connection:
            found = [str(what) for (what,) in connection.execute(f"PRAGMA integrity_check({MOST})") if what != "ok"]
            if set(connection.execute(TABLES)) != _tables_made_by(schema):
                found.append("its tables are not those that AutoLearn makes")
    except NotAbleError as error:
        return [error.sentence]
    return [f"{name}: {what}" for what in found]


def _tables_made_by(schema: Iterable[str]) -> set[tuple[str, str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in schema:
            fresh.execute(statement)
        return set(fresh.execute(TABLES))
