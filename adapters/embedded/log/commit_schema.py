"""Commits of the event log as rows of SQLite: one row per event, and one per commit with the chain.

`rowid` is a column of its own, so that no VACUUM gives events other positions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from adapters.embedded.log.engine import LogSchema
from adapters.embedded.schema import FORMAT, MAX_NAMED, Column, Schema, Table, as_text
from adapters.embedded.stored_rows import RowReader, to_moment
from adapters.log.times import to_microseconds
from projections.ports import RawCommit, RawEvent

EVENTS: Final = Table(
    "stored_events",
    ("rowid",),
    (
        Column("rowid", "INTEGER", "rowid >= 1", "PRIMARY KEY"),
        Column("originator_id", "TEXT"),
        Column("originator_version", "INTEGER", "originator_version >= 0"),
        Column("topic", "TEXT"),
        Column("state", "BLOB"),
    ),
    "UNIQUE (originator_id, originator_version)",
)
COMMITS: Final = Table(
    "commits",
    ("position",),
    (
        Column("position", "INTEGER", "position >= 1", "PRIMARY KEY"),
        Column("first", "INTEGER", "first BETWEEN 1 AND position"),
        Column.time("at"),
        Column.blob("command_id", 16),
        Column.blob("append_id", 16, "UNIQUE"),
        Column("digest", "TEXT"),
        Column.blob("hash", 32),
    ),
)
APPLICATION: Final = 0x414C6576  # "ALev"

INSERT_EVENT: Final = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)"
)
INSERT_COMMIT: Final = "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?)"
_AFTER: Final = """FROM commits
WHERE position > :after AND position <= max(:after + :limit, ifnull(
    (SELECT position FROM commits WHERE position > :after ORDER BY position LIMIT 1), 0)) ORDER BY position"""
COMMITS_AFTER: Final = f"SELECT position, first, at, command_id, append_id, digest, hash {_AFTER}"
HASHES_AFTER: Final = f"SELECT position, hash {_AFTER}"
EVENTS_WITHIN: Final = """
SELECT rowid, originator_id, originator_version, topic, state FROM stored_events
WHERE rowid > ? AND rowid <= ? ORDER BY rowid"""
EVENTS_OF_STREAM: Final = """
SELECT e.rowid, c.position, c.at, originator_version, topic, state FROM stored_events e
JOIN commits c ON c.position = (SELECT position FROM commits WHERE position >= e.rowid ORDER BY position LIMIT 1)
WHERE originator_id = ? AND c.position <= ? ORDER BY e.rowid"""
STRAYS: Final = """
SELECT rowid FROM stored_events WHERE rowid < 1 OR rowid > ifnull((SELECT max(position) FROM commits), 0)
ORDER BY rowid LIMIT ?"""
# Streams are served by this index, in the order of versions: it must give what the positions give.
OUT_OF_ORDER: Final = """
SELECT originator_id, originator_version, rowid FROM (
    SELECT originator_id, originator_version, rowid, lag(originator_version, 1, 0) OVER stream AS before,
        lag(rowid, 1, 0) OVER stream AS place
    FROM stored_events INDEXED BY sqlite_autoindex_stored_events_1
    WINDOW stream AS (PARTITION BY originator_id ORDER BY originator_version))
WHERE originator_version IS NOT before + 1 OR rowid <= place LIMIT ?"""

_event_rows, _commit_rows = RowReader(EVENTS.columns), RowReader(COMMITS.columns)


def insert_commits(connection: sqlite3.Connection, commits: Sequence[RawCommit]) -> None:
    events = [(at, *event) for commit in commits for at, event in enumerate(commit.events, commit.first)]
    connection.executemany(INSERT_EVENT, events)
    connection.executemany(
        INSERT_COMMIT,
        [
            (it.position, it.first, to_microseconds(it.at), it.command_id.bytes, it.append_id.bytes, it.digest, it.hash)
            for it in commits
        ],
    )


def read_commits(connection: sqlite3.Connection, after: int, limit: int) -> list[RawCommit]:
    """Return commits as stored; events belong to a commit by their position alone."""
    commits = connection.execute(COMMITS_AFTER, {"after": after, "limit": limit}).fetchall()
    if not commits:
        return []
    events = connection.execute(EVENTS_WITHIN, (after, commits[-1][0])).fetchall()
    events.reverse()
    return [_commit(row, events) for row in commits]


def _commit(row: Any, following: list[Any]) -> RawCommit:
    """Make a commit of its row and of the events up to its position, which it takes from the end of `following`."""
    (position, first, at, command_id, append_id, digest, found), wrong = _commit_rows.read(row)
    events, faults = [], list[str]()
    while following and following[-1][0] <= position:
        (place, *event), wrong_event = _event_rows.read(following.pop())
        events.append(RawEvent(*event))
        faults += [f"the event at {place} {what}" for what in wrong_event]
    time = to_moment(at, wrong)
    faults += [f"the commit {what}" for what in wrong]
    ids = UUID(bytes=command_id), UUID(bytes=append_id)
    return RawCommit(first, position, time, *ids, digest, found, tuple(events), tuple(faults))


def find_strays(connection: sqlite3.Connection) -> Iterator[str]:
    """Name positions below the first commit and beyond the last one that hold events."""
    for (position,) in connection.execute(STRAYS, (MAX_NAMED,)):
        yield f"position {position} holds an event that no commit brought"


def find_out_of_order(connection: sqlite3.Connection) -> Iterator[str]:
    """Name events that are not the next ones of their stream: versions are 1, 2, …, in the order of positions."""
    for stream, version, position in connection.execute(OUT_OF_ORDER, (MAX_NAMED,)):
        event = f"version {as_text(version)} of stream {as_text(stream)!r} (position {position})"
        yield f"{event} is not the next one there"


EVENT_LOG: Final = LogSchema(
    file=Schema(APPLICATION, FORMAT, (EVENTS, COMMITS)),
    table=COMMITS.name,
    insert=insert_commits,
    read=read_commits,
    checks=(find_strays, find_out_of_order),
)
