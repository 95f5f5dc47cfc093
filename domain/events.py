"""Base classes of events and aggregates, and the registry that pins every event name (`training-requested.v1`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Self, cast

from eventsourcing.domain import BaseAggregate, CanMutateAggregate
from pydantic import BaseModel, ConfigDict

# The commit carries the one trusted time; the library wants some timestamp on each event, so all share this one.
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)

EVENTS: dict[str, type[Event]] = {}


class Value(BaseModel):
    """A frozen value object that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Metadata(Value):
    """Who did it (client id), in which call (correlation), because of what (causation); stamped when appended."""

    actor: str = ""
    correlation: str = ""
    causation: str = ""


NO_METADATA = Metadata()


class Event(BaseModel, CanMutateAggregate[str]):
    """One immutable fact on one stream. Subclasses name it by `NAME` and fold it in `apply`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    NAME: ClassVar[str] = ""
    timestamp: ClassVar[datetime] = NO_TIME  # type: ignore[misc] # shared, so neither stored nor a field

    originator_id: str
    originator_version: int
    metadata: Metadata = NO_METADATA

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the name, which never changes; a second class of one name is a programming error."""
        super().__init_subclass__(**kwargs)
        if cls.NAME in EVENTS:
            raise TypeError(f"event name {cls.NAME!r} is taken by {EVENTS[cls.NAME].__name__}")
        if cls.NAME:
            EVENTS[cls.NAME] = cls

    def with_metadata(self, metadata: Metadata) -> Self:
        """Return the event with its metadata, as it will be stored."""
        return self.model_copy(update={"metadata": metadata})


class Aggregate(BaseAggregate[str]):
    """An event-sourced aggregate that starts blank: every event, even the first, is folded the same way."""

    @classmethod
    def create_blank(cls, stream: str) -> Self:
        """Return the aggregate of a stream without events (version 0)."""
        aggregate = cls.__new__(cls)
        aggregate.__base_init__(stream, 0, NO_TIME)
        cls.__init__(aggregate)
        return aggregate

    def trigger_event(self, event_class: type[CanMutateAggregate[str]], **facts: Any) -> None:
        """Fold a new event of this aggregate and keep it for the append; unlike the library's, it reads no clock."""
        event = cast("type[Event]", event_class)(originator_id=self.id, originator_version=self.version + 1, **facts)
        event.mutate(self)
        self.pending_events.append(event)

    @property
    def exists(self) -> bool:
        return self.version > 0
