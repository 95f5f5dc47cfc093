"""Appends checked against the log and each other, before one transaction stores them: the plan of a group commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from eventsourcing.persistence import IntegrityError

from adapters.log.appends import Append, KnownAppendError, Place, Version, next_place
from commands.ports import VersionConflict
from projections.ports import RawEvent

VERSION: Final = "SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?"
APPEND_ID: Final = "SELECT 1 FROM commits WHERE append_id = ?"
LAST_VERSION: Final = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"


@dataclass(slots=True)
class Plan:
    """The appends that one transaction will store, each checked against the log and against those before it.

    A trusting plan asks the log only what the unique keys of its tables cannot tell: whether a later version leaves a
    hole. Where a key then refuses the transaction, a plan that is not trusting finds out which appends are to blame.
    """

    connection: sqlite3.Connection
    now: int
    tail: Place
    trusting: bool
    appends: list[Append] = field(default_factory=list)
    _ids: set[bytes] = field(default_factory=set)
    _versions: dict[str, int] = field(default_factory=dict)
    _taken: set[Version] = field(default_factory=set)

    def add(self, append: Append) -> None:
        """Give the append its place after the tail, or note why it is refused; others are not affected."""
        append.refusal = None
        try:
            self._check_new(append.append_id.bytes)
            append.rule(self, append)
        except (KnownAppendError, VersionConflict, IntegrityError) as refusal:
            append.refusal = refusal
            return
        self._note(append)
        self.tail = append.place = next_place(self.tail, append, self.now)
        self.appends.append(append)

    def version_before(self, event: RawEvent) -> int:
        """Return the last version of the event's stream, appends of this plan included."""
        known = self._versions.get(event.stream)
        if known is not None:
            return known
        return 0 if self.trusting and event.version == 1 else last_version(self.connection, event.stream)

    def is_taken(self, version: Version) -> bool:
        """Whether the stream has an event of this version, appends of this plan included."""
        return version in self._taken or self._holds(VERSION, version)

    def _check_new(self, append_id: bytes) -> None:
        if append_id in self._ids or self._holds(APPEND_ID, (append_id,)):
            raise KnownAppendError

    def _holds(self, query: str, key: tuple[object, ...]) -> bool:
        return not self.trusting and self.connection.execute(query, key).fetchone() is not None

    def _note(self, append: Append) -> None:
        self._ids.add(append.append_id.bytes)
        for event in append.events:
            self._versions[event.stream] = max(event.version, self.version_before(event))
            self._taken.add((event.stream, event.version))


def last_version(connection: sqlite3.Connection, stream: str) -> int:
    """Return the version of a stream's last event; 0 where it has none."""
    (version,) = connection.execute(LAST_VERSION, (stream,)).fetchone()
    return version or 0


def event_rows(appends: Iterable[Append]) -> list[tuple[int, str, int, str, bytes]]:
    """Return rows of the events table, positions first."""
    return [
        (position, event.stream, event.version, event.name, event.state)
        for append in appends
        if append.place
        for position, event in enumerate(append.events, append.place.first)
    ]


def commit_rows(appends: Iterable[Append]) -> list[tuple[int, int, int, bytes, bytes, str, bytes]]:
    """Return rows of the commits table."""
    return [
        (p.position, p.first, p.at, append.command_id.bytes, append.append_id.bytes, append.digest, p.hash)
        for append in appends
        if (p := append.place)
    ]
