"""Commits as stored, for whoever looks for damage: nothing that a file may hold makes these reads fail.

Values of a wrong type or encoding come back as something, and the chain hash says that they are wrong.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from adapters.wire.moments import EPOCH, from_microseconds
from projections.ports import RawCommit, RawEvent

COMMITS: Final = """
SELECT CAST(first AS INTEGER), position, CAST(at AS INTEGER), CAST(command_id AS BLOB), CAST(append_id AS BLOB),
    CAST(digest AS BLOB), CAST(hash AS BLOB)
FROM commits WHERE position > :after AND position <= max(:after + :limit, ifnull(
    (SELECT position FROM commits WHERE position > :after ORDER BY position LIMIT 1), 0)) ORDER BY position"""
EVENTS: Final = """
SELECT rowid, CAST(originator_id AS BLOB), CAST(originator_version AS INTEGER), CAST(topic AS BLOB), CAST(state AS BLOB)
FROM stored_events WHERE rowid > ? AND rowid <= ? ORDER BY rowid"""


def raw_commits(connection: sqlite3.Connection, after: int, limit: int) -> list[RawCommit]:
    """Return about `limit` events in their commits, at least one commit; events are found by position alone."""
    commits = connection.execute(COMMITS, {"after": after, "limit": limit}).fetchall()
    if not commits:
        return []
    rows = connection.execute(EVENTS, (after, commits[-1][1])).fetchall()
    rows.reverse()
    return [_commit(commit, _taken_until(rows, commit[1])) for commit in commits]


def _taken_until(rows: list[Any], position: int) -> tuple[RawEvent, ...]:
    events = []
    while rows and rows[-1][0] <= position:
        _, stream, version, name, state = rows.pop()
        events.append(RawEvent(_text(stream), version or 0, _text(name), state or b""))
    return tuple(events)


def _commit(row: Any, events: tuple[RawEvent, ...]) -> RawCommit:
    first, position, at, command_id, append_id, digest, commit_hash = row
    return RawCommit(
        first=first or 0,
        position=position,
        at=_moment(at),
        command_id=_id(command_id),
        append_id=_id(append_id),
        digest=_text(digest),
        hash=commit_hash or b"",
        events=events,
    )


def _text(stored: bytes | None) -> str:
    return (stored or b"").decode("utf-8", "backslashreplace")


def _id(stored: bytes | None) -> UUID:
    return UUID(bytes=(stored or b"")[:16].ljust(16, b"\0"))


def _moment(stored: int | None) -> datetime:
    try:
        return from_microseconds(stored or 0)
    except OverflowError:
        return EPOCH
