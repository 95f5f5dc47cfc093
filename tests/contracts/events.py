"""Short ways to events, stamps and appends, for the suites of log and feed."""

from __future__ import annotations

from uuid import UUID, uuid4

from commands.ports import AppendHeader, EventStore, StoredAppend
from domain.events import Event, Metadata
from domain.experiment_events import ExperimentAnnotated

ANA = Metadata(actor="ana", correlation="call-1", causation="command-1")


def event(stream: str, version: int, text: str = "fine") -> Event:
    """Return an event of this place."""
    return ExperimentAnnotated(originator_id=stream, originator_version=version, text=text, reason="r")


def events(stream: str, first: int, count: int) -> list[Event]:
    """Return events of consecutive versions."""
    return [event(stream, version) for version in range(first, first + count)]


def header(append_id: UUID | None = None, digest: str = "") -> AppendHeader:
    """Return the header of an append by Ana."""
    return AppendHeader(uuid4(), append_id or uuid4(), ANA, digest)


def append(store: EventStore, stream: str, first: int = 1, count: int = 1) -> StoredAppend:
    """Append events of one stream."""
    return store.append(events(stream, first, count), header())
