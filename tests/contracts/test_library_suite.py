"""The `eventsourcing` library's own suites over each adapter of the log, by way of our ports."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.tests import persistence as suites

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults
from tests.contracts.library_recorder import PortAggregateRecorder, PortRecorder


class OnPorts:
    """Looks at the chain after each test of a suite."""

    INITIAL_VERSION = 0
    store: Any
    feed: Any

    def tearDown(self) -> None:
        assert list(chain_faults(self.feed.raw_after(0, 10**6))) == []

    def create_recorder(self) -> Any:
        return PortRecorder(self.store, self.feed)

    def new_originator_id(self) -> str:
        return f"experiment:{uuid4()}"


class OnSqlite(OnPorts):
    """Gives each test of a suite a file of its own."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.open(Path(self.folder.name, "events.db"))

    def open(self, path: Path | str) -> None:
        self.database = Database(path)
        self.store, self.feed = SqliteEventStore(self.database), SqliteFeed(self.database)

    def tearDown(self) -> None:
        super().tearDown()
        self.database.close()
        self.folder.cleanup()


class InMemory(OnSqlite):
    """The same on `:memory:`."""

    def open(self, path: Path | str) -> None:
        super().open(":memory:")


class OnMongoDB(OnPorts):
    """Gives each test of a suite a database of its own."""

    @pytest.fixture(autouse=True)
    def _server(self, mongo: Mongo) -> None:
        self.store, self.feed = MongoEventStore(mongo), MongoFeed(mongo)

    def tearDown(self) -> None:
        super().tearDown()
        assert self.feed.strays() == []


class TestApplicationRecorderOnSqlite(OnSqlite, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorderOnSqlite(OnSqlite, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return PortAggregateRecorder(self.store, self.feed)


class TestNonInterleavingOnSqlite(OnSqlite, suites.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000


class TestApplicationRecorderInMemory(InMemory, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorderInMemory(InMemory, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return PortAggregateRecorder(self.store, self.feed)


class TestApplicationRecorderOnMongoDB(OnMongoDB, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorderOnMongoDB(OnMongoDB, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return PortAggregateRecorder(self.store, self.feed)


class TestNonInterleavingOnMongoDB(OnMongoDB, suites.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000
