"""The unit of work: loads aggregates and collects the events of one decision."""

from __future__ import annotations

from typing import TypeVar, cast

from commands.ports import EventStore
from domain.events import Aggregate, Event

A = TypeVar("A", bound=Aggregate)


class UnitOfWork:
    """The aggregates that one decision loads; the events they trigger are appended in one commit.

    `last_sessions` caches the newest known session number of each client; there may be later ones.
    """

    def __init__(self, store: EventStore, last_sessions: dict[str, int] | None = None) -> None:
        self.store = store
        self.last_sessions = {} if last_sessions is None else last_sessions
        self._loaded: dict[str, Aggregate] = {}
        self._versions: dict[str, int] = {}

    def get(self, kind: type[A], stream: str) -> A:
        """Return the aggregate of a stream, blank if it has no events; the same object each time."""
        if stream not in self._loaded:
            self._loaded[stream] = load(self.store, kind, stream)
            self._versions[stream] = self._loaded[stream].version
        return cast("A", self._loaded[stream])

    def is_outdated(self) -> bool:
        """Whether a stream has grown since it was loaded: the decision may rest on a state that never existed."""
        return any(self.store.version(stream) != version for stream, version in self._versions.items())

    def collect_events(self) -> list[Event]:
        """Take the triggered events, aggregate by aggregate, in the order of loading."""
        return [cast("Event", event) for aggregate in self._loaded.values() for event in aggregate.collect_events()]


def load(store: EventStore, kind: type[A], stream: str, until: int | None = None) -> A:
    """Fold a stream, whole or up to the commit that covers a position."""
    aggregate = kind.create_blank(stream)
    for event in store.stream(stream, until):
        event.mutate(aggregate)
    return aggregate
