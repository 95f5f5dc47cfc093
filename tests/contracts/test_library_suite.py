"""The `eventsourcing` library's own suites over our recorders: whoever knows the library can rely on the log."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests import persistence as suites

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults


class OnSqlite:
    """Gives each test of a suite a file of its own and looks at the chain afterwards."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(Path(self.folder.name, "events.db"))

    def tearDown(self) -> None:
        assert list(chain_faults(SqliteFeed(self.database).raw_after(0, 10**6))) == []
        self.database.close()
        self.folder.cleanup()

    def create_recorder(self) -> Any:
        return SqliteEventStore(self.database)

    def new_originator_id(self) -> str:
        return f"experiment:{uuid4()}"


class TestApplicationRecorder(OnSqlite, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnSqlite, suites.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000


class WithoutPositions(SqliteEventStore):
    """An aggregate recorder, of which the suite demands that it does not tell positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class TestAggregateRecorder(OnSqlite, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return WithoutPositions(self.database)


class InMemory(OnSqlite):
    """The same on `:memory:`."""

    def setUp(self) -> None:
        super().setUp()
        self.database = Database(":memory:")


class TestApplicationRecorderInMemory(InMemory, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorderInMemory(InMemory, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return WithoutPositions(self.database)


class OnMongoDB:
    """Gives each test of a suite a database of its own and looks at the chain afterwards."""

    @pytest.fixture(autouse=True)
    def _server(self, mongo: Mongo) -> None:
        self.mongo = mongo

    def tearDown(self) -> None:
        log = MongoLog(self.mongo)
        assert list(chain_faults(log.raw_after(0, 10**6))) == []
        assert log.strays() == []

    def create_recorder(self) -> Any:
        return MongoEventStore(self.mongo)

    def new_originator_id(self) -> str:
        return f"experiment:{uuid4()}"


class TestApplicationRecorderOnMongoDB(OnMongoDB, suites.ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingOnMongoDB(OnMongoDB, suites.NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000


class MongoWithoutPositions(MongoEventStore):
    """The same, without positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class TestAggregateRecorderOnMongoDB(OnMongoDB, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return MongoWithoutPositions(self.mongo)
