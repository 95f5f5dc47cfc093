"""Appends on their way into a log: what a caller hands in, the rules it must meet, and its place in the chain.

Both modes' stores share this, so that they accept, refuse and hash alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from eventsourcing.persistence import IntegrityError, StoredEvent

from adapters.log.append_limits import check_size
from adapters.log.chain import GENESIS, commit_hash, framed_events
from adapters.log.events import encode
from adapters.log.times import from_microseconds
from commands.ports import Receipt, Stamp, VersionConflict
from domain.events import Event
from projections.ports import RawEvent

Version = tuple[str, int]


class KnownAppendError(Exception):
    """The append id is in the log already."""


class Versions(Protocol):
    """The log as the rules see it, appends that are planned but not yet stored included."""

    def version_before(self, event: RawEvent) -> int:
        """Return the last version of the event's stream."""
        ...

    def is_taken(self, version: Version) -> bool:
        """Whether the stream has an event of this version."""
        ...


@dataclass(slots=True)
class Append:
    """The events of one command with their ids; the writer sets the refusal where it refuses."""

    command_id: UUID
    append_id: UUID
    digest: str
    events: tuple[RawEvent, ...]
    framed: bytes
    rule: Callable[[Versions, Append], None]
    place: Place | None = None
    refusal: Exception | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a commit is: positions first..position, time in microseconds, chain hash."""

    first: int
    position: int
    at: int
    hash: bytes


START = Place(0, 0, 0, GENESIS)


def next_place(tail: Place, append: Append, now: int) -> Place:
    """Return the place after the tail; times never go back, whatever `now` (microseconds) says."""
    first, position = tail.position + 1, tail.position + len(append.events)
    at = max(now, tail.at)
    digest = commit_hash(
        tail.hash,
        position=position,
        at=at,
        command_id=append.command_id,
        append_id=append.append_id,
        digest=append.digest,
        events=append.framed,
    )
    return Place(first, position, at, digest)


def continue_streams(log: Versions, append: Append) -> None:
    """Rule of the port: each event has the version after its stream's last one, so no stream has a hole."""
    following: dict[str, int] = {}
    for event in append.events:
        expected = (following.get(event.stream) or log.version_before(event)) + 1
        if event.version != expected:
            raise VersionConflict(
                f"{event.stream} is at version {expected - 1}; version {event.version} cannot follow."
            )
        following[event.stream] = expected


def take_free_versions(log: Versions, append: Append) -> None:
    """Rule of the library: no event has the stream and version of another one."""
    versions = [(event.stream, event.version) for event in append.events]
    if len(set(versions)) < len(versions) or any(log.is_taken(version) for version in versions):
        raise IntegrityError("An event of this stream and version is stored already.")


def append_of(events: Sequence[Event], stamp: Stamp) -> Append:
    """Return the append of events that bear the stamp's metadata; raises TooLargeError, BadInputError."""
    raw = tuple([RawEvent(e.originator_id, e.originator_version, e.NAME, encode(e)) for e in events])
    check_size(raw)
    return Append(stamp.command_id, stamp.append_id, stamp.digest, raw, framed_events(raw), continue_streams)


def append_of_stored(stored: Sequence[StoredEvent]) -> Append:
    """Return the append of the library's stored events; it gets an id of its own."""
    events = tuple(RawEvent(stream_of(e.originator_id), e.originator_version, e.topic, e.state) for e in stored)
    append_id = uuid4()
    return Append(append_id, append_id, "", events, framed_events(events), take_free_versions)


def stream_of(originator_id: UUID | str) -> str:
    """Return the stream's name of the library's originator id."""
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


def receipt_of(place: Place, stamp: Stamp, events: tuple[Event, ...]) -> Receipt:
    """Return the receipt of an append at its place."""
    return Receipt(place.first, place.position, from_microseconds(place.at), stamp, place.hash, events)
