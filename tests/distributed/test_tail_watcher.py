"""Waiting for a longer collection: woken by other processes, through an outage, and without change streams."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import Any

import pytest
from pymongo import WriteConcern
from pymongo.errors import OperationFailure

from adapters.distributed.log import tail_watcher
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.tail_watcher import MongoTailWatcher, tail_watcher_of
from adapters.distributed.mongo import Mongo
from tests.contracts.events import append
from tests.servers.process import Server


@pytest.fixture
def writer(mongo: Mongo) -> Iterator[MongoEventStore]:
    """A store with a connection of its own, as another process has it."""
    elsewhere = Mongo(mongo.uri, mongo.name)
    yield MongoEventStore(elsewhere)
    elsewhere.close()


def test_all_users_of_a_client_share_one_watcher_of_a_collection(mongo: Mongo) -> None:
    assert tail_watcher_of(mongo, "commits", "position") is tail_watcher_of(mongo, "commits", "position")
    assert tail_watcher_of(mongo, "commits", "position") is not tail_watcher_of(mongo, "communications", "_id")


def test_what_no_majority_holds_yet_when_the_stream_begins_is_not_missed(mongo: Mongo) -> None:
    """The stream begins behind it, and a look at that moment does not see it: it happened on a busy machine."""
    soon = mongo.collection("soon").with_options(write_concern=WriteConcern(w=1))
    for place in range(1, 7):
        soon.insert_one({"_id": place})
        assert MongoTailWatcher(mongo.collection("soon"), "_id").wait_beyond(place - 1, 10)


def test_the_change_stream_wakes_and_not_the_clock(
    mongo: Mongo, writer: MongoEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_watcher, "POLL_SECONDS", 30)
    here = tail_watcher_of(mongo, "commits", "position")
    seconds = []
    with ThreadPoolExecutor(1) as pool:
        for position in range(3):
            waiting = pool.submit(here.wait_beyond, position, 60)
            append(writer, "a", position + 1)
            appended = monotonic()
            assert waiting.result()
            seconds.append(monotonic() - appended)
    assert min(seconds) < 3, "a stream may break on a busy machine, but not always"


class WithoutChangeStreams:
    """The collection of a server that is not a replica set."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self.refused = Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def watch(self, *_: Any, **__: Any) -> Any:
        self.refused.set()
        self._collection.database.client._get_topology()  # a closed client is closed to this as well
        raise OperationFailure("The $changeStream stage is only supported on replica sets", 40573)


def test_without_change_streams_it_looks_again_and_again(mongo: Mongo, writer: MongoEventStore) -> None:
    collection: Any = WithoutChangeStreams(mongo.collection("commits"))
    here = MongoTailWatcher(collection, "position")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(here.wait_beyond, 0, 60)
        assert collection.refused.wait(30)
        append(writer, "a")
        assert waiting.result()


@pytest.mark.slow
def test_who_waits_is_woken_after_an_outage(own_mongodb: Server) -> None:
    mongo, elsewhere = Mongo(own_mongodb.url, "outage"), Mongo(own_mongodb.url, "outage")
    here = tail_watcher_of(mongo, "commits", "position")
    append(MongoEventStore(elsewhere), "a")
    assert here.wait_beyond(0, 30)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(here.wait_beyond, 1, 60)
        own_mongodb.kill()
        assert here.wait_beyond(1, 0.01) is False
        own_mongodb.restart()
        append(MongoEventStore(elsewhere), "b")
        assert waiting.result()
    mongo.close()
    elsewhere.close()
