"""Commits as stored, for whoever looks for damage: nothing that a file may hold makes these reads fail.

They read what serving reads. What no writer can have stored (a value of another type, length or encoding) comes back
as something, and as a fault of its commit, whatever the chain says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from adapters.embedded.exact import Exact, as_stored
from projections.ports import RawCommit, RawEvent

COMMITS: Final = """
SELECT first, position, at, command_id, append_id, digest, hash
FROM commits WHERE position > :after AND position <= max(:after + :limit, ifnull(
    (SELECT position FROM commits WHERE position > :after ORDER BY position LIMIT 1), 0)) ORDER BY position"""
EVENTS: Final = """
SELECT rowid, originator_id, originator_version, topic, state
FROM stored_events WHERE rowid > ? AND rowid <= ? ORDER BY rowid"""
ID_BYTES, HASH_BYTES = 16, 32


def raw_commits(connection: sqlite3.Connection, after: int, limit: int) -> list[RawCommit]:
    """Return about `limit` events in their commits, at least one commit; events are found by position alone."""
    with as_stored(connection):
        commits = connection.execute(COMMITS, {"after": after, "limit": limit}).fetchall()
        if not commits:
            return []
        rows = connection.execute(EVENTS, (after, commits[-1][1])).fetchall()
    rows.reverse()
    return [_commit(commit, _taken_until(rows, commit[1])) for commit in commits]


def _taken_until(rows: list[Any], position: int) -> Iterable[Any]:
    while rows and rows[-1][0] <= position:
        yield rows.pop()


def _commit(row: Any, rows: Iterable[Any]) -> RawCommit:
    first, position, at, command_id, append_id, digest, commit_hash = row
    exact = Exact("commit")
    events = tuple([_event(exact, event) for event in rows])
    exact.of = "commit"
    return RawCommit(
        first=exact.number(first, "first"),
        position=position,
        at=exact.moment(at, "at"),
        command_id=UUID(bytes=exact.blob(command_id, "command_id", ID_BYTES)),
        append_id=UUID(bytes=exact.blob(append_id, "append_id", ID_BYTES)),
        digest=exact.text(digest, "digest"),
        hash=exact.blob(commit_hash, "hash", HASH_BYTES),
        events=events,
        faults=tuple(exact.faults),
    )


def _event(exact: Exact, row: Any) -> RawEvent:
    exact.of, stream, version, name, state = row
    return RawEvent(
        exact.text(stream, "originator_id"),
        exact.number(version, "originator_version"),
        exact.text(name, "topic"),
        exact.blob(state, "state"),
    )
