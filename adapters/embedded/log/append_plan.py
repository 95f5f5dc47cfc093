"""Appends as rows of SQLite, and what an append plan asks the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from adapters.log.times import to_microseconds
from projections.ports import RawCommit, RawEvent

APPEND_ID: Final = "SELECT 1 FROM commits WHERE append_id = ?"
LAST_VERSION: Final = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The log as an append plan sees it; a trusting one leaves taken versions to the unique key of the events."""

    connection: sqlite3.Connection
    trusting: bool

    def version_before(self, event: RawEvent) -> int:
        return 0 if self.trusting and event.version == 1 else last_version(self.connection, event.stream)

    def holds_append(self, append_id: UUID) -> bool:
        return self.connection.execute(APPEND_ID, (append_id.bytes,)).fetchone() is not None


def last_version(connection: sqlite3.Connection, stream: str) -> int:
    """Return the version of a stream's last event; 0 where it has none."""
    (version,) = connection.execute(LAST_VERSION, (stream,)).fetchone()
    return version or 0


def event_rows(commits: Iterable[RawCommit]) -> list[tuple[int, str, int, str, bytes]]:
    """Return rows of the events table, positions first."""
    return [
        (position, event.stream, event.version, event.name, event.state)
        for commit in commits
        for position, event in enumerate(commit.events, commit.first)
    ]


def commit_rows(commits: Iterable[RawCommit]) -> list[tuple[int, int, int, bytes, bytes, str, bytes]]:
    """Return rows of the commits table."""
    return [
        (it.position, it.first, to_microseconds(it.at), it.command_id.bytes, it.append_id.bytes, it.digest, it.hash)
        for it in commits
    ]
