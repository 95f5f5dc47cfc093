"""A start that only the topic tells of, in the name of a living worker: the task that waits runs all the same."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.feed import KafkaFeed
from adapters.log.events import encode
from commands.application import Application
from commands.ports import Ports
from commands.training.request_training import RequestTraining
from domain.experiment_events import TrainingStarted
from domain.values import experiment_stream
from projections.ports import RawCommit, RawEvent
from tests.commands.stage import Stage
from tests.commands.worker import Worker, state
from tests.distributed.published import INSTALLATION, Published

TRAIN = RequestTraining("iris", "svm")
LIVING = "work-training-of-another-machine"


class PublishedStage(Stage):
    """The same stage on a log in MongoDB, whose event workers follow the topic."""

    def __init__(self, mongo: Mongo, kafka: str) -> None:
        super().__init__()
        ports = self.application.ports
        self.store, self.feed = MongoEventStore(mongo), MongoFeed(mongo)  # type: ignore[assignment]  # the same port
        self.application = Application(
            Ports(self.store, ports.blobs, self.launcher, self.clock, ports.worker, ports.retry)
        )
        self.topic = KafkaFeed(kafka, mongo.name, INSTALLATION)

    def worker(self) -> Worker:
        made = Worker(self, is_lost=lambda _: False)
        made.worker._feed = self.topic
        return made


@pytest.fixture
def stage(kafka: str, mongo: Mongo) -> Iterator[PublishedStage]:
    made = PublishedStage(mongo, kafka)
    made.offer()
    yield made
    made.topic.close()
    made.close()


def started(mongo: Mongo, task: str) -> RawCommit:
    """Return the next commit of the log as somebody who may write to the topic makes it up."""
    last = MongoFeed(mongo).end()[0]
    at = MongoFeed(mongo).raw_after(last - 1, 1)[0].at
    event = TrainingStarted(
        originator_id=experiment_stream(task), originator_version=2, task=task, attempt=1, worker=LIVING
    )
    raw = RawEvent(event.originator_id, event.originator_version, event.NAME, encode(event))
    return RawCommit(last + 1, last + 1, at, uuid4(), uuid4(), "", bytes(32), (raw,))


def test_it_hides_no_task(kafka: str, mongo: Mongo, stage: PublishedStage) -> None:
    task = str(stage.client("ana").do(TRAIN, wait=0).pending)
    published = Published(kafka, mongo.name)
    published.all_of(mongo)
    published.commits([started(mongo, task)])
    worker = stage.worker().step()
    assert worker.worker.position == stage.store.end()[0] + 1, "it has followed what was forged"
    worker.check_lost().step()
    assert state(stage.experiment(task), task) == ("requested", 0)
    worker.recheck().step()
    stage.until(task, task, "completed")
    assert state(stage.experiment(task), task) == ("completed", 1)
