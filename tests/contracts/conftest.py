"""The adapters that each port's suite runs over; a new adapter joins by one more line in `LOGS` or `AUDIT_LOGS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics, topics_of
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.times import microseconds_now
from commands.ports import AppendHeader, EventStore, StoredAppend
from domain.events import Event
from projections.ports import AuditLog, CommitFeed, Feed
from tests.distributed.log_sources import event_source

Now = Callable[[], int]


@dataclass
class FollowedLog:
    """A store, and what follows it."""

    store: EventStore
    feed: CommitFeed
    close: Callable[[], None]


@dataclass
class Log(FollowedLog):
    """A store and the feed of it."""

    feed: Feed


class OpenLog(Protocol):
    """Opens the log of this test; twice opens the same one again (where it is durable)."""

    def __call__(self, now: Now = microseconds_now) -> Log: ...


class OpenAuditLog(Protocol):
    """Opens the audit log of this test for a writer."""

    def __call__(self, writer: str = "w1", now: Now = microseconds_now) -> AuditLog: ...


def sqlite_log(path: Path | str, now: Now) -> Log:
    database = Database(path)
    return Log(SqliteEventStore(database, now), SqliteFeed(database), database.close)


def sqlite_file(request: pytest.FixtureRequest) -> Callable[[Now], Log]:
    path = request.getfixturevalue("tmp_path") / "events.db"
    return lambda now: sqlite_log(path, now)


def sqlite_memory(_: pytest.FixtureRequest) -> Callable[[Now], Log]:
    return lambda now: sqlite_log(":memory:", now)


def mongodb_log(request: pytest.FixtureRequest) -> Callable[[Now], Log]:
    of_test: Mongo = request.getfixturevalue("mongo")  # its database goes with the test

    def make(now: Now) -> Log:
        mongo = Mongo(of_test.uri, of_test.name)
        return Log(MongoEventStore(mongo, now), MongoFeed(mongo), mongo.close)

    return make


class RelayedStore:
    """A store whose appends are in the topic when they return: for what a feed does, and not for how soon."""

    def __init__(self, store: MongoEventStore, relay: Relay) -> None:
        self._store, self._relay = store, relay
        self._lock = Lock()

    def append(self, events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        appended = self._store.append(events, header)
        with self._lock:
            while self._relay.position < appended.position:
                self._relay.step()
            self._relay._seeker.wait_for_end(self._relay.checkpoint.offset)
        return appended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def kafka_log(request: pytest.FixtureRequest) -> FollowedLog:
    """The topic, fed from MongoDB."""
    of_test: Mongo = request.getfixturevalue("mongo")
    bootstrap: str = request.getfixturevalue("kafka")

    with ExitStack() as opened:
        mongo = Mongo(of_test.uri, of_test.name)
        opened.callback(mongo.close)
        ensure_topics(bootstrap, mongo.name)
        topic = topics_of(mongo.name)[0]
        source = event_source(MongoFeed(mongo), origin(mongo.name, "ab" * 16))
        relay = opened.enter_context(Relay(bootstrap, topic, topic, source))
        feed = KafkaFeed(bootstrap, mongo.name)
        opened.callback(feed.close)
        return FollowedLog(RelayedStore(MongoEventStore(mongo), relay), feed, opened.pop_all().close)


LOGS: dict[str, Callable[[pytest.FixtureRequest], Callable[[Now], Log]]] = {
    "sqlite": sqlite_file,
    "sqlite-memory": sqlite_memory,
    "mongodb": mongodb_log,
}
DURABLE = ["sqlite", "mongodb"]


def sqlite_audit_log(database: Database) -> tuple[OpenAuditLog, Callable[[], None]]:
    return lambda writer="w1", now=microseconds_now: SqliteAuditLog(database, writer, now=now), database.close


def mongodb_audit_log(request: pytest.FixtureRequest) -> tuple[OpenAuditLog, Callable[[], None]]:
    mongo: Mongo = request.getfixturevalue("mongo")
    return lambda writer="w1", now=microseconds_now: MongoAuditLog(mongo, writer, now=now), lambda: None


AUDIT_LOGS: dict[str, Callable[[pytest.FixtureRequest], tuple[OpenAuditLog, Callable[[], None]]]] = {
    "sqlite": lambda request: sqlite_audit_log(Database(request.getfixturevalue("tmp_path") / "communications.db")),
    "sqlite-memory": lambda _: sqlite_audit_log(Database(":memory:")),
    "mongodb": mongodb_audit_log,
}


def opener(make: Callable[[Now], Log]) -> Iterator[OpenLog]:
    opened: list[Log] = []

    def open_log(now: Now = microseconds_now) -> Log:
        opened.append(make(now))
        return opened[-1]

    yield open_log
    for log in opened:
        log.close()


@pytest.fixture(params=LOGS)
def open_log(request: pytest.FixtureRequest) -> Iterator[OpenLog]:
    yield from opener(LOGS[request.param](request))


@pytest.fixture(params=[*LOGS, "kafka"])
def followed(request: pytest.FixtureRequest) -> Iterator[FollowedLog]:
    log = kafka_log(request) if request.param == "kafka" else LOGS[request.param](request)(microseconds_now)
    yield log
    log.close()


@pytest.fixture
def log(open_log: OpenLog) -> Log:
    return open_log()


@pytest.fixture(params=DURABLE)
def open_durable_log(request: pytest.FixtureRequest) -> Iterator[OpenLog]:
    yield from opener(LOGS[request.param](request))


@pytest.fixture(params=AUDIT_LOGS)
def open_audit_log(request: pytest.FixtureRequest) -> Iterator[OpenAuditLog]:
    opened, close = AUDIT_LOGS[request.param](request)
    yield opened
    close()


@pytest.fixture
def audit_log(open_audit_log: OpenAuditLog) -> AuditLog:
    return open_audit_log()
