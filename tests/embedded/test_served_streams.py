"""What is served by an index is what the chain covers: an event that is in one and not in the other is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults
from tests.contracts.events import append
from tests.damage.loose import change, loosened


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """A log in which `client:eve` is added and revoked, among others."""
    database = Database(tmp_path / "events.db")
    store = SqliteEventStore(database)
    for stream, version in (("client:ana", 1), ("client:eve", 1), ("client:ana", 2), ("client:eve", 2)):
        append(store, stream, version)
    database.close()
    return tmp_path / "events.db"


def found(path: Path) -> list[str]:
    feed = SqliteFeed(Database(path, read_only=True))
    return [*feed.file_faults(), *(what for _, what in chain_faults(feed.raw_after(0, 100)))]


def test_no_tool_takes_an_event_out_of_its_stream_by_its_type(log_file: Path) -> None:
    with sqlite3.connect(log_file) as connection, pytest.raises(sqlite3.IntegrityError, match="cannot store BLOB"):
        connection.execute("UPDATE stored_events SET originator_id = CAST(originator_id AS BLOB) WHERE rowid = 4")
    connection.close()
    assert found(log_file) == []


@pytest.mark.parametrize(
    "change_made",
    [
        "SET originator_id = CAST(originator_id AS BLOB) WHERE rowid = 4",
        "SET originator_version = '2' WHERE rowid = 4",
        "SET originator_version = 2.0 WHERE rowid = 4",
        "SET originator_version = 3 WHERE rowid = 4",
        "SET originator_version = NULL WHERE rowid = 4",
    ],
)
def test_an_event_that_left_its_stream_is_named(log_file: Path, change_made: str) -> None:
    change(log_file, f"UPDATE stored_events {change_made}")
    assert any("stored_events row 4" in what or "position 4" in what for what in found(log_file))


def test_events_that_changed_places_in_their_stream_are_named(log_file: Path) -> None:
    change(
        log_file,
        "UPDATE stored_events SET originator_version = 9 WHERE rowid = 2",
        "UPDATE stored_events SET originator_version = 1 WHERE rowid = 4",
        "UPDATE stored_events SET originator_version = 2 WHERE rowid = 2",
    )
    assert any("version 2 of stream 'client:eve' (position 2)" in what for what in found(log_file))


def test_an_append_id_with_a_byte_too_many_is_named(log_file: Path) -> None:
    change(log_file, "UPDATE commits SET append_id = CAST(append_id || x'00' AS BLOB) WHERE position = 3")
    assert any("commits row 3: append_id is a blob of 17 bytes" in what for what in found(log_file))


def test_an_index_that_lost_an_entry_is_reported(log_file: Path) -> None:
    with loosened(log_file) as connection:
        rows = connection.execute("SELECT * FROM stored_events").fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        index = "sqlite_autoindex_stored_events_1"
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
    page = bytearray(log_file.read_bytes())
    start = (root - 1) * 4096
    page[start + 3 : start + 5] = (len(rows) - 1).to_bytes(2, "big")  # the number of entries on the page
    log_file.write_bytes(page)
    assert any("sqlite_autoindex_stored_events_1" in what for what in found(log_file))


@pytest.mark.parametrize(
    "extra",
    [
        "CREATE TRIGGER t AFTER INSERT ON commits BEGIN DELETE FROM commits WHERE position = 1; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE other (x)",
        "CREATE INDEX i ON commits (at)",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 7",
    ],
)
def test_what_autolearn_does_not_make_is_named(log_file: Path, extra: str) -> None:
    change(log_file, extra)
    assert found(log_file) != []


def test_events_of_no_commit_are_reported_at_one_moment(log_file: Path) -> None:
    """The end of the log and what lies beyond it are read together: an append in between is not a stray."""
    writer, reader = SqliteEventStore(Database(log_file)), SqliteFeed(Database(log_file, read_only=True))
    for number in range(20):
        append(writer, f"client:{number}")
        assert reader.file_faults() == []
