"""The log of a running backend, as `verify`, `replay` and `rebuild` read it from a process of their own."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from domain.errors import NotAbleError
from tests.contracts.events import append
from tests.contracts.test_audit_log import CALL


def test_a_read_only_feed_follows_another_writer(tmp_path: Path) -> None:
    store = SqliteEventStore(Database(tmp_path / "events.db"))
    feed = SqliteFeed(Database(tmp_path / "events.db", read_only=True))
    append(store, "a", count=2)
    assert [r.position for r in feed.after(0, 10)] == [1, 2]
    assert feed.wait_beyond(2, 0.05) is False
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.wait_beyond, 2, 30)
        append(store, "b")
        assert waiting.result() is True
    assert feed.end() == store.end()


def test_a_read_only_database_cannot_write(tmp_path: Path) -> None:
    SqliteEventStore(Database(tmp_path / "events.db"))
    with (
        pytest.raises(NotAbleError, match="reading only"),
        Database(tmp_path / "events.db", read_only=True).writing() as connection,
    ):
        connection.execute("DELETE FROM commits")


def test_a_missing_file_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotAbleError, match=r"events\.db"):
        SqliteFeed(Database(tmp_path / "events.db", read_only=True)).end()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep_index", [True, False])
def test_the_files_of_a_killed_backend_are_read_as_they_are(tmp_path: Path, keep_index: bool) -> None:
    """A crash leaves the write-ahead log behind, and its index may be lost."""
    living = tmp_path / "living"
    living.mkdir()
    store = SqliteEventStore(Database(living / "events.db"))
    appended = append(store, "a", count=3)
    dead = tmp_path / "dead"
    shutil.copytree(living, dead)
    if not keep_index:
        (dead / "events.db-shm").unlink()
    feed = SqliteFeed(Database(dead / "events.db", read_only=True))
    assert feed.end() == (3, appended.hash)
    assert len(feed.after(0, 10)) == 3


def test_read_only_communications(tmp_path: Path) -> None:
    audit_log = SqliteAuditLog(Database(tmp_path / "c.db"), "w1")
    reader = SqliteAuditLog(Database(tmp_path / "c.db", read_only=True), "reader")
    record = audit_log.append(CALL)
    assert reader.read(0, 10) == [record]
    assert reader.wait_beyond(0, 0) is True
    assert reader.wait_beyond(1, 0) is False
    with pytest.raises(NotAbleError):
        reader.append(CALL)


def test_what_was_closed_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "events.db")
    store = SqliteEventStore(database)
    append(store, "a")
    database.close()
    database.close()
    with pytest.raises(NotAbleError, match="closed"):
        append(store, "b")
    with pytest.raises(NotAbleError, match="closed"):
        store.end()
    with sqlite3.connect(tmp_path / "events.db") as connection:
        assert connection.execute("SELECT count(*) FROM stored_events").fetchone() == (1,)
    connection.close()
