"""Files of the format before, whose tables took any value, are copied into strict ones: exactly, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults
from domain.errors import ConflictError
from tests.contracts.events import append

OLDER = """
CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
    PRIMARY KEY (originator_id, originator_version));
CREATE TABLE commits (position INTEGER PRIMARY KEY, first INTEGER NOT NULL, at INTEGER NOT NULL,
    command_id BLOB NOT NULL, append_id BLOB NOT NULL UNIQUE, digest TEXT NOT NULL, hash BLOB NOT NULL)"""
EVENTS = "originator_id, originator_version, topic, state"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A log of the format before: what a store of today wrote, in the tables of then."""
    database = Database(tmp_path / "new.db")
    store = SqliteEventStore(database)
    for stream, version in (("client:ana", 1), ("client:eve", 1), ("client:ana", 3)):
        append(store, stream, version, count=2)
    database.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        connection.executescript(OLDER)
        connection.execute("ATTACH ? AS new", (str(tmp_path / "new.db"),))
        connection.execute(
            f"INSERT INTO stored_events (rowid, {EVENTS}) SELECT rowid, {EVENTS} FROM new.stored_events"  # noqa: S608 - a constant
        )
        connection.execute("INSERT INTO commits SELECT * FROM new.commits")
        connection.commit()
    return tmp_path / "events.db"


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def content(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("sqlite_schema", "commits")]  # noqa: S608 - constants


def test_it_is_copied_and_served_as_before(older: Path) -> None:
    before = SqliteFeed(Database(older, read_only=True))
    commits = before.raw_after(0, 100)
    assert before.file_faults() == ["events.db: an older AutoLearn wrote it; a start brings it to format 2"]
    store = SqliteEventStore(Database(older))
    feed = SqliteFeed(Database(older, read_only=True))
    assert feed.file_faults() == []
    assert feed.raw_after(0, 100) == commits
    assert len(store.stream("client:ana")) == 4
    append(store, "client:ana", 5)
    assert list(chain_faults(feed.raw_after(0, 100))) == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE stored_events SET originator_id = CAST(originator_id AS BLOB) WHERE rowid = 4", "stored_events row 4"),
        ("UPDATE stored_events SET topic = NULL WHERE rowid = 2", "stored_events row 2: topic is nothing"),
        ("UPDATE stored_events SET rowid = -5 WHERE rowid = 2", "stored_events row -5: rowid"),
        (
            "UPDATE commits SET append_id = CAST(append_id || x'00' AS BLOB) WHERE position = 4",
            "row 4: append_id is a blob of 17",
        ),
        ("UPDATE commits SET at = 'noon' WHERE position = 4", "commits row 4: at is text of 4 bytes"),
    ],
)
def test_a_value_that_does_not_fit_stops_it_and_is_named(older: Path, statement: str, named: str) -> None:
    run(older, statement)
    before = content(older)
    assert any(named in what for what in SqliteFeed(Database(older, read_only=True)).file_faults())
    with pytest.raises(ConflictError, match=f"{named}.*back-up"):
        SqliteEventStore(Database(older))
    assert content(older) == before


def test_a_newer_file_is_refused(older: Path) -> None:
    database = Database(older)
    SqliteEventStore(database)
    database.close()
    run(older, "PRAGMA user_version = 3")
    with pytest.raises(ConflictError, match="newer AutoLearn"):
        SqliteEventStore(Database(older))
