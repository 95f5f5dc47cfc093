"""Given these facts, when this is decided, then those facts follow, or it is refused: how aggregates are specified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from domain.errors import AutoLearnError
from domain.events import Aggregate, Event

A = TypeVar("A", bound=Aggregate)


@dataclass(frozen=True)
class Fact:
    """An event without its place: what happened, wherever it happens."""

    kind: type[Event]
    facts: dict[str, Any]

    def on(self, aggregate: Aggregate) -> Event:
        """Return the event as the next one of an aggregate."""
        return self.kind(originator_id=aggregate.id, originator_version=aggregate.version + 1, **self.facts)


def fact(kind: type[Event], **facts: Any) -> Fact:
    """Say what happened."""
    return Fact(kind, facts)


def folded(blank: A, events: list[Event]) -> A:
    """Fold events, as a load from the log does."""
    for event in events:
        event.mutate(blank)
    return blank


class Specification(Generic[A]):
    """What an aggregate of one stream does with facts that are given."""

    def __init__(self, kind: type[A], stream: str, *given: Fact) -> None:
        self.kind, self.stream = kind, stream
        self.history: list[Event] = []
        aggregate = kind.create_blank(stream)
        for one in given:
            event = one.on(aggregate)
            event.mutate(aggregate)
            self.history.append(event)

    def given(self, *facts: Fact) -> Specification[A]:
        """Add to what happened before."""
        known = [Fact(type(event), _facts_of(event)) for event in self.history]
        return Specification(self.kind, self.stream, *known, *facts)

    def aggregate(self) -> A:
        """Return a fresh fold of what is given."""
        return folded(self.kind.create_blank(self.stream), self.history)

    def when(self, decision: Callable[[A], Any]) -> Outcome[A]:
        """Decide."""
        aggregate, refusal, returned = self.aggregate(), None, None
        try:
            returned = decision(aggregate)
        except AutoLearnError as refused:
            refusal = refused
        return Outcome(self, aggregate, refusal, returned)


class Outcome(Generic[A]):
    """What a decision led to."""

    def __init__(self, given: Specification[A], aggregate: A, refusal: AutoLearnError | None, returned: Any) -> None:
        self.given, self.aggregate, self.refusal, self.returned = given, aggregate, refusal, returned
        self.events: list[Any] = list(aggregate.collect_events())

    def then(self, *facts: Fact) -> A:
        """Expect exactly these facts; the aggregate is what folding all of them gives. Returns it."""
        if self.refusal is not None:
            raise self.refusal
        before, expected = self.given.aggregate(), []
        for one in facts:
            expected.append(one.on(before))
            expected[-1].mutate(before)
        assert self.events == expected
        assert self.aggregate == before
        return self.aggregate

    def refused(self, error: type[AutoLearnError], part: str, **facts: Any) -> None:
        """Expect this refusal, with this in its sentence and in its facts, and nothing changed."""
        if self.refusal is None:
            pytest.fail(f"accepted: {[event.NAME for event in self.events]}")
        assert type(self.refusal) is error
        assert part in self.refusal.sentence
        assert facts.items() <= self.refusal.facts.items()
        assert self.events == []
        assert self.aggregate == self.given.aggregate()


def _facts_of(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in type(event).model_fields if not name.startswith("originator_")}
