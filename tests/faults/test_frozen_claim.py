"""MongoDB stands still just when a task is claimed: the caller is told so, the claim lands later, and the task runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from commands.application import Application
from commands.ports import AppendHeader, Ports, StoredAppend
from commands.training.request_training import RequestTraining
from domain.errors import NotAbleError
from domain.events import Event
from tests.commands.stage import Stage
from tests.commands.worker import Worker, state
from tests.servers.process import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
TRAIN = RequestTraining("iris", "svm")
SECONDS = 30.0


class FreezingStore(MongoEventStore):
    """The log, whose server is stopped at the next claim, and goes on once the claim was given up."""

    server: Server | None = None

    def append(self, events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        """Append; the claim into a socket that nobody reads."""
        if self.server is None or not any("-started" in event.NAME for event in events):
            return super().append(events, header)
        server, self.server = self.server, None
        server.freeze()
        try:
            return super().append(events, header)
        finally:
            server.thaw()


class MongoStage(Stage):
    """The same stage on a log in MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        super().__init__()
        ports, self.log = self.application.ports, FreezingStore(mongo)
        self.store, self.feed = self.log, MongoFeed(mongo)  # type: ignore[assignment]  # the same port, another log
        self.application = Application(
            Ports(self.log, ports.blobs, self.launcher, self.clock, ports.worker, ports.retry)
        )


@pytest.fixture
def stage(own_mongodb: Server) -> Iterator[MongoStage]:
    mongo = Mongo(own_mongodb.url, "frozen", seconds=1.0)
    stage = MongoStage(mongo)
    stage.offer()
    yield stage
    stage.close()
    mongo.close()


def landed(stage: MongoStage, position: int) -> None:
    assert stage.feed.wait_beyond(position, SECONDS), "the claim never came"


def test_of_a_call(stage: MongoStage, own_mongodb: Server) -> None:
    ana, serving = stage.client("ana"), Worker(stage, is_lost=lambda _: False, kinds=frozenset())
    before = stage.store.end()[0]
    stage.log.server = own_mongodb
    with suppress(NotAbleError):  # unless the log is back in time to say that the claim is in it
        ana.do(TRAIN, key="k")
    landed(stage, before)
    assert stage.launcher.of("fit") == []
    serving.step().check_lost().step()
    body = ana.do(TRAIN, key="k").body
    assert (body["state"], body["attempt"]) == ("completed", 1)
    assert len(stage.launcher.of("fit")) == 1


def test_of_a_queued_task(stage: MongoStage, own_mongodb: Server) -> None:
    ana, working = stage.client("ana"), Worker(stage, is_lost=lambda _: False)
    name = str(ana.do(TRAIN, wait=0).pending)
    before = stage.store.end()[0]
    stage.log.server = own_mongodb
    with suppress(NotAbleError):
        working.step()
    landed(stage, before)
    assert stage.launcher.of("fit") == []
    working.step().check_lost().step()
    stage.until(name, name, "completed")
    assert state(stage.experiment(name), name) == ("completed", 1)
    assert len(stage.launcher.of("fit")) == 1
