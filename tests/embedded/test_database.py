"""What durability rests on: the settings of the writing connection, and all or nothing of a write."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from domain.errors import NotAbleError

FULL = 2


def test_every_commit_is_flushed_to_disk(tmp_path: Path) -> None:
    with Database(tmp_path / "x.db").writing() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (FULL,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def run(database: Database, *statements: str, then: Callable[[], object] = object) -> None:
    with database.writing() as connection:
        for statement in statements:
            connection.execute(statement)
        then()


@pytest.mark.parametrize("where", ["file", "memory"])
def test_a_failed_write_leaves_nothing_and_the_next_one_works(tmp_path: Path, where: str) -> None:
    database = Database(tmp_path / "x.db" if where == "file" else ":memory:")
    run(database, "CREATE TABLE t (x INTEGER PRIMARY KEY)", "CREATE TABLE u (y)")
    with pytest.raises(sqlite3.IntegrityError):
        run(database, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")
    with pytest.raises(NotAbleError, match="no such table"):
        run(database, "INSERT INTO t VALUES (1)", "INSERT INTO v VALUES (1)")
    with pytest.raises(ZeroDivisionError):
        run(database, "INSERT INTO t VALUES (1)", then=lambda: 1 // 0)
    run(database, "INSERT INTO t VALUES (2)")
    with database.reading() as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]
    database.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"This is no database." * 100)
    with pytest.raises(NotAbleError, match=r"x\.db cannot be read or written: file is not a database"):
        run(Database(tmp_path / "x.db"), "CREATE TABLE t (x)")
