"""Replay: events a second read from the log, decoded and folded, beside the `eventsourcing` library's own way.

The library stores the same facts by its recorder, mapper and JSON transcoder and folds them by the same `mutate`. Both
run without garbage collection, as a process that replays and ends can.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.domain import BaseAggregate, CanMutateAggregate
from eventsourcing.persistence import JSONTranscoder, Mapper
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from benchmarks import Figure
from benchmarks.lives import METADATA, life
from commands.ports import AppendHeader
from domain.events import NO_TIME, Event
from domain.experiment import Experiment
from projections.garbage_collection import gc_paused

EXPERIMENTS = 10_000
PAGE = 1000
ROUNDS = 5


class Fact(CanMutateAggregate[str]):
    """The library's kind of event: attributes, mapped by the path of its class."""

    timestamp = NO_TIME
    facts: dict[str, Any]

    def apply(self, aggregate: Any) -> None:
        """Fold."""
        aggregate.facts.append(self.facts)


class Facts(BaseAggregate[str]):
    """The library's kind of aggregate."""

    facts: list[dict[str, Any]]


def our_log(folder: Path) -> SqliteFeed:
    """Write the lives with our store, several to a commit to be done soon."""
    database = Database(folder / "ours.db")
    store = SqliteEventStore(database)
    for first in range(0, EXPERIMENTS, 100):
        events = [event for number in range(first, first + 100) for event in life(number)]
        store.append(events, AppendHeader(uuid4(), uuid4(), METADATA))
    return SqliteFeed(database)


def their_log(folder: Path) -> SQLiteApplicationRecorder:
    """Write the same facts with the library's recorder."""
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(folder / "theirs.db"), originator_id_type="text"))
    recorder.create_table()
    mapper: Mapper[str] = Mapper(JSONTranscoder())
    for first in range(0, EXPERIMENTS, 100):
        events = [_as_fact(event) for number in range(first, first + 100) for event in life(number)]
        recorder.insert_events([mapper.to_stored_event(event) for event in events])
    return recorder


def _as_fact(event: Event) -> Fact:
    fact = object.__new__(Fact)
    facts = event.model_dump(mode="json", exclude={"originator_id", "originator_version"})
    place = {"originator_id": event.originator_id, "originator_version": event.originator_version}
    fact.__dict__.update(place, facts=facts)
    return fact


def our_events(feed: SqliteFeed) -> Iterable[Event]:
    """Read and decode as our readers do."""
    position = 0
    while page := feed.after(position, PAGE):
        position = page[-1].commit
        for recorded in page:
            yield recorded.event


def their_events(recorder: SQLiteApplicationRecorder) -> Iterable[Any]:
    """Read and decode as the library does."""
    mapper: Mapper[str] = Mapper(JSONTranscoder())
    position = 0
    while page := recorder.select_notifications(position, PAGE, inclusive_of_start=False):
        position = page[-1].id
        for notification in page:
            yield mapper.to_domain_event(notification)


def their_blank(stream: str) -> Facts:
    """Return an aggregate of the library before its first event."""
    aggregate = Facts.__new__(Facts)
    aggregate.__base_init__(stream, 0, NO_TIME)
    aggregate.facts = []
    return aggregate


def rate(events: Iterable[Any], blank: Callable[[str], Any]) -> float:
    """Fold all events into aggregates that begin blank, and return events a second."""
    aggregates: dict[str, Any] = {}
    count = 0
    with gc_paused():
        started = time.perf_counter()
        for count, event in enumerate(events, 1):  # noqa: B007 - it counts what a generator brings
            aggregate = aggregates.get(event.originator_id)
            if aggregate is None:
                aggregate = aggregates[event.originator_id] = blank(event.originator_id)
            event.mutate(aggregate)
        return count / (time.perf_counter() - started)


def measure() -> list[Figure]:
    """Measure both in turns and return medians."""
    with tempfile.TemporaryDirectory() as name:
        feed, recorder = our_log(Path(name)), their_log(Path(name))
        pairs = [
            (rate(our_events(feed), Experiment.create_blank), rate(their_events(recorder), their_blank))
            for _ in range(ROUNDS)
        ]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    note = f"{EXPERIMENTS * 7:,} events"
    return [
        Figure("replay: read, decode, fold", ours, "events/s", ">= 100000", note),
        Figure("replay, beside the library's recorder and mapper", ours / theirs, "x", "", f"{theirs:,.0f}/s"),
    ]


if __name__ == "__main__":
    for figure in measure():
        print(figure)
