"""Appends on their way into the event log: their limits, their version checks, and their place in the chain.

Both modes' stores share this, so that they accept, refuse and hash alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from adapters.log.chain import LastEntry, commit_hash, framed_events
from adapters.log.events import encode
from adapters.log.group_commit import Pending
from adapters.log.times import from_microseconds
from commands.ports import AppendHeader, StoredAppend, VersionConflict
from domain.errors import BadInputError, TooLargeError
from domain.events import Event
from projections.ports import RawCommit, RawEvent

MAX_EVENTS: Final = 1000
MAX_EVENT_BYTES: Final = 256 * 1024
MAX_APPEND_BYTES: Final = 8 * 1024 * 1024


class KnownAppendError(Exception):
    """The append id is in the log already."""


@dataclass(frozen=True, slots=True)
class Append:
    """The events of one command with their ids; `framed` is what the chain hashes of the events."""

    command_id: UUID
    append_id: UUID
    digest: str
    events: tuple[RawEvent, ...]
    framed: bytes


class StoredLog(Protocol):
    def version_before(self, event: RawEvent) -> int:
        """Return the last version of the event's stream.

        A store whose unique keys refuse a version that is taken may, without a query, return the version just before
        the event's own if it knows that the stream has that one.
        """
        ...

    def holds_append(self, append_id: UUID) -> bool: ...


@dataclass
class AppendPlan:
    """The appends that one write will store, each checked against the log and against those before it.

    A trusting plan leaves the append ids to the unique key of the store. Where that key then refuses the write, a plan
    that is not trusting finds out which append is to blame.
    """

    log: StoredLog
    last: LastEntry
    now: int
    trusting: bool
    _ids: set[UUID] = field(default_factory=set)
    _versions: dict[str, int] = field(default_factory=dict)

    def add(self, append: Append) -> RawCommit:
        """Return the append as the commit that follows the last one; raises KnownAppendError, VersionConflict.

        Times never go back, whatever `now` (microseconds) says.
        """
        self.check(append)
        self._ids.add(append.append_id)
        self._versions |= {event.stream: event.version for event in append.events}
        first, position, at = (
            self.last.position + 1,
            self.last.position + len(append.events),
            max(self.now, self.last.at),
        )
        found = commit_hash(
            self.last.hash,
            position=position,
            at=at,
            command_id=append.command_id,
            append_id=append.append_id,
            digest=append.digest,
            events=append.framed,
        )
        self.last = LastEntry(position, at, found)
        ids = append.command_id, append.append_id
        return RawCommit(first, position, from_microseconds(at), *ids, append.digest, found, append.events)

    def add_all(self, jobs: Sequence[Pending[Append, RawCommit]]) -> list[tuple[Pending[Append, RawCommit], RawCommit]]:
        """Return the jobs that may go in, each with its commit; the others get their refusal."""
        planned = []
        for job in jobs:
            try:
                planned.append((job, self.add(job.input)))
            except (KnownAppendError, VersionConflict) as refusal:
                job.refusal = refusal
        return planned

    def check(self, append: Append) -> None:
        """Raise KnownAppendError, or VersionConflict where an event does not follow the last one of its stream."""
        known = append.append_id in self._ids or (not self.trusting and self.log.holds_append(append.append_id))
        if known:
            raise KnownAppendError
        following: dict[str, int] = {}
        for event in append.events:
            before = following.get(event.stream) or self._versions.get(event.stream) or self.log.version_before(event)
            if event.version != before + 1:
                if self.trusting and self.log.holds_append(append.append_id):
                    raise KnownAppendError
                raise VersionConflict(f"{event.stream} is at version {before}; version {event.version} cannot follow.")
            following[event.stream] = event.version


def append_of(events: Sequence[Event], header: AppendHeader) -> Append:
    """Return the append of events that bear the header's metadata; raises TooLargeError, BadInputError."""
    raw = tuple([RawEvent(e.originator_id, e.originator_version, e.NAME, encode(e)) for e in events])
    _check_size(raw)
    return Append(header.command_id, header.append_id, header.digest, raw, framed_events(raw))


def _check_size(events: Sequence[RawEvent]) -> None:
    if not events:
        raise BadInputError("An append has at least one event.")
    if len(events) > MAX_EVENTS:
        raise TooLargeError(f"An append has at most {MAX_EVENTS:,} events; this one has {len(events):,}.")
    sizes = [len(event.state) for event in events]
    if max(sizes) > MAX_EVENT_BYTES:
        name = events[sizes.index(max(sizes))].name
        raise TooLargeError(f"An event has at most {MAX_EVENT_BYTES:,} bytes; this {name} has {max(sizes):,}.")
    if sum(sizes) > MAX_APPEND_BYTES:
        raise TooLargeError(f"An append has at most {MAX_APPEND_BYTES:,} bytes; this one has {sum(sizes):,}.")


def stored_append(commit: RawCommit, header: AppendHeader, events: tuple[Event, ...]) -> StoredAppend:
    return StoredAppend(commit.first, commit.position, commit.at, header, commit.hash, events)
