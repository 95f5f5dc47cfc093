"""Damage done to the files behind the store's back: readers that look for it find it and do not fall over it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.audit_log import chain as communication_chain
from adapters.embedded.audit_log.record_schema import to_row
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log import chain
from adapters.log.events import UnreadableEventError
from domain.errors import NotAbleError
from tests.contracts.events import append
from tests.contracts.test_audit_log import CALL
from tests.damage.loose import change, loosened
from tests.wire.test_audit_chain import older_audit_log


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """Return the file of a log with positions 1..20 in 10 commits, everything in the main file."""
    database = Database(tmp_path / "events.db")
    store = SqliteEventStore(database)
    for n in range(10):
        append(store, f"s{n}", count=2)
    database.close()
    return tmp_path / "events.db"


def stray_event(position: int) -> str:
    return f"INSERT INTO stored_events VALUES ({position}, 's', 1, 'x.v1', x'7b7d')"  # noqa: S608 - a number


def faults(path: Path) -> list[int]:
    feed = SqliteFeed(Database(path, read_only=True))
    return [position for position, _ in chain.chain_faults(feed.raw_after(0, 100))]


@pytest.mark.parametrize(
    ("statement", "positions"),
    [
        ("UPDATE stored_events SET originator_id = CAST(originator_id AS BLOB) WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET topic = CAST(topic AS BLOB) WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET state = CAST(state AS TEXT) WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET originator_version = 1.0 WHERE rowid = 5", [6]),
        ("UPDATE commits SET append_id = CAST(append_id || x'00' AS BLOB) WHERE position = 6", [6]),
        ("UPDATE commits SET command_id = CAST(command_id || x'00' AS BLOB) WHERE position = 6", [6]),
        ("UPDATE commits SET digest = CAST(digest AS BLOB) WHERE position = 6", [6]),
        ("UPDATE commits SET first = CAST(first AS TEXT) WHERE position = 6", [6]),
        ("UPDATE stored_events SET state = replace(state, 'fine', 'fake') WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET state = x'ff00' WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET topic = CAST(x'c328' AS TEXT) WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET originator_id = NULL WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET originator_version = 'x' WHERE rowid = 5", [6]),
        ("UPDATE stored_events SET originator_version = -9223372036854775808 WHERE rowid = 5", [6]),
        ("DELETE FROM stored_events WHERE rowid = 5", [6]),
        ("DELETE FROM stored_events WHERE rowid IN (5, 6)", [6]),
        ("UPDATE commits SET at = at + 1 WHERE position = 6", [6]),
        ("UPDATE commits SET at = 9223372036854775807 WHERE position = 6", [6]),
        ("UPDATE commits SET at = 'noon' WHERE position = 6", [6]),
        ("UPDATE commits SET command_id = x'00' WHERE position = 6", [6]),
        ("UPDATE commits SET append_id = 'text' WHERE position = 6", [6]),
        ("UPDATE commits SET digest = 'other' WHERE position = 6", [6]),
        ("UPDATE commits SET hash = x'00' WHERE position = 6", [6, 8]),
        ("UPDATE commits SET first = 4 WHERE position = 6", [6]),
        ("UPDATE commits SET first = 99 WHERE position = 6", [6]),
        ("DELETE FROM commits WHERE position = 6", [8]),
        ("UPDATE commits SET position = 5 WHERE position = 6", [5, 8]),
    ],
)
def test_every_change_of_the_log_is_found_at_its_position(log_file: Path, statement: str, positions: list[int]) -> None:
    assert faults(log_file) == []
    change(log_file, statement)
    assert faults(log_file) == positions


@pytest.mark.parametrize("position", [0, -7, 21, 1000])
def test_events_that_no_commit_brought_are_found(log_file: Path, position: int) -> None:
    feed = SqliteFeed(Database(log_file, read_only=True))
    assert feed.file_faults() == []
    change(log_file, stray_event(position))
    assert f"events.db: position {position} holds an event that no commit brought" in feed.file_faults()


def test_the_store_refuses_to_append_over_such_events(log_file: Path) -> None:
    change(log_file, stray_event(21))
    store = SqliteEventStore(Database(log_file))
    with pytest.raises(NotAbleError, match="verify"):
        append(store, "new")
    assert store.end()[0] == 20


def test_a_changed_event_that_cannot_be_read_names_itself(log_file: Path) -> None:
    change(log_file, "UPDATE stored_events SET topic = 'other.v1' WHERE rowid = 5")
    with pytest.raises(UnreadableEventError, match=r"Event 1 of 's2' \(other\.v1\)"):
        SqliteFeed(Database(log_file)).after(0, 100)


@pytest.mark.parametrize("seed", range(40))
def test_bytes_changed_anywhere_in_the_file_are_found_or_harmless(log_file: Path, seed: int) -> None:
    """Found by the chain, by SQLite's check, or by an error with a sentence; else the log reads exactly as before."""
    true = SqliteFeed(Database(log_file, read_only=True)).raw_after(0, 100)
    content = bytearray(log_file.read_bytes())
    place = random.Random(seed).randrange(100, len(content))  # noqa: S311 - a repeatable place, not a secret
    content[place] ^= 0xFF
    log_file.write_bytes(content)
    feed = SqliteFeed(Database(log_file, read_only=True))
    try:
        found = feed.raw_after(0, 100)
    except NotAbleError:
        assert feed.file_faults() != []
    else:
        assert found == true or list(chain.chain_faults(found)) or feed.file_faults()


def test_damaged_communications_are_found_and_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "c.db")
    audit_log = SqliteAuditLog(database, "w1")
    for _ in range(6):
        audit_log.append(CALL)
    change(
        tmp_path / "c.db",
        "UPDATE communications SET actor = CAST(x'c328' AS TEXT) WHERE position = 2",
        "UPDATE communications SET at = 'noon' WHERE position = 4",
        "UPDATE communications SET milliseconds = 'long' WHERE position = 6",
    )
    reader = SqliteAuditLog(Database(tmp_path / "c.db", read_only=True), "reader")
    assert [position for position, _ in communication_chain.chain_faults(reader.read(0, 10))] == [2, 4, 6]
    found = reader.file_faults()
    assert "c.db: communications row 4: at is text of 4 bytes, and must be a whole number" in "; ".join(found)
    assert any("communications row 6: milliseconds is text of 4 bytes" in what for what in found)


def test_rows_before_the_first_position_are_reported_and_not_served(tmp_path: Path) -> None:
    database = Database(tmp_path / "c.db")
    audit_log = SqliteAuditLog(database, "w1")
    audit_log.append(CALL)
    with loosened(tmp_path / "c.db") as connection:
        ((position, at, writer, number, *rest),) = connection.execute("SELECT * FROM communications")
        marks = ",".join("?" * (4 + len(rest)))
        forged = (-position, at, writer, -number, *rest)
        connection.execute(f"INSERT INTO communications VALUES ({marks})", forged)  # noqa: S608 - question marks
        connection.commit()
    reader = SqliteAuditLog(Database(tmp_path / "c.db", read_only=True), "reader")
    assert [it.position for it in reader.page({}, None, 10)] == [1]
    assert [it.position for it in reader.recent(-5)] == [1]
    wrong = "position is a whole number, and must be a whole number with position >= 1"
    assert f"c.db: communications row -1: {wrong}" in reader.file_faults()


OLDER_TABLE = """CREATE TABLE communications (
    position INTEGER PRIMARY KEY, at INTEGER NOT NULL, writer TEXT NOT NULL, number INTEGER NOT NULL,
    previous BLOB NOT NULL, hash BLOB NOT NULL,
    kind TEXT NOT NULL, actor TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, operation TEXT NOT NULL,
    outcome TEXT NOT NULL, problem TEXT NOT NULL, milliseconds REAL NOT NULL, bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL, correlation TEXT NOT NULL, causation TEXT NOT NULL, domain_position INTEGER NOT NULL,
    digest_in TEXT NOT NULL, digest_out TEXT NOT NULL
)"""


def test_the_records_of_an_older_version_stay_and_new_ones_follow_them(tmp_path: Path) -> None:
    older = older_audit_log("a", "b", "a")
    marks = ",".join("?" * 21)
    with closing(sqlite3.connect(tmp_path / "c.db")) as connection:
        connection.execute(OLDER_TABLE)
        connection.execute("CREATE INDEX communications_by_correlation ON communications (correlation)")
        connection.execute("CREATE UNIQUE INDEX communications_by_writer ON communications (writer, number)")
        rows = [to_row(record)[:21] for record in older]
        connection.executemany(f"INSERT INTO communications VALUES ({marks})", rows)  # noqa: S608 - question marks
        connection.commit()
    before = SqliteAuditLog(Database(tmp_path / "c.db", read_only=True), "reader")
    assert before.read(0, 10) == older
    assert before.file_faults() == ["c.db: an older AutoLearn wrote it; a start brings it to format 2"]
    audit_log = SqliteAuditLog(Database(tmp_path / "c.db"), "c")
    assert audit_log.read(0, 10) == older
    assert audit_log.append(CALL).previous == older[-1].hash
    reopened = SqliteAuditLog(Database(tmp_path / "c.db"), "c")
    assert list(communication_chain.chain_faults(reopened.read(0, 10))) == []
    assert reopened.file_faults() == []
