"""A topic that is not the log, or holds what cannot be read, stops all that follow, visibly; mended, they go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.cloud_events import Message
from adapters.distributed.topics.seek import TopicSeeker
from autolearn.client import BackendClient
from commands.ports import AppendHeader
from domain.client import ClientAdded
from domain.events import Metadata
from tests.end_to_end.fleet import Fleet, Member, fleet_on, proxy_of, until
from tests.end_to_end.place import SECONDS, Shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
READY, UNABLE = 200, 503
GARBAGE = Message(b"key", b"\x00no event", [])
NEWER = "client-added.v2"
KNOWS_NEWER = f"""
from adapters.log.upcasters import UPCASTERS

UPCASTERS[{NEWER!r}] = ("client-added.v1", dict)
"""


class NewerClientAdded(ClientAdded):
    """What a newer AutoLearn would write; not registered, as no process of today knows its name."""

    NAME = ""


NewerClientAdded.NAME = NEWER


@dataclass
class Place:
    """An installation that needs no task processes, and its sys-admin as a shell and as a Remote Proxy."""

    fleet: Fleet
    shell: Shell
    client: BackendClient

    @property
    def topic(self) -> str:
        """Where the log goes."""
        return f"{self.fleet.database}.events"

    def add(self) -> int:
        """Append one event by a command; return its position."""
        return self.client.post("clients", body={"client": f"c-{uuid4().hex[:8]}", "roles": ["analyst"]}).position

    def projected(self) -> int:
        """Return how far the read models are."""
        return int(self.fleet.one("project").gauges.get("projection_position", 0))

    def await_visible(self, position: int) -> None:
        """Wait until the read models have a position."""
        until(lambda: self.projected() >= position, SECONDS)

    def await_readiness(self, status: int, *commands: str) -> None:
        """Wait until the processes of these commands say whether they can do their work."""
        processes = [self.fleet.one(command) for command in commands]
        until(lambda: {it.get("/health/ready")[0] for it in processes} == {status}, SECONDS)

    def write(self, message: Message) -> None:
        """Write to the topic as a foreign program."""
        producer = Producer({"bootstrap.servers": self.fleet.kafka, "log_level": 0})
        headers: list[Any] = [*message.headers]
        producer.produce(self.topic, message.value, message.key, 0, headers=headers)
        assert producer.flush(SECONDS) == 0

    def last_message(self) -> Message:
        """Read the topic's last record."""
        probe = TopicSeeker(self.fleet.kafka, self.topic)
        try:
            found = probe.last()
        finally:
            probe.close()
        assert found is not None
        return found.message

    def delete_topic(self) -> None:
        """Delete the topic, as its administrator."""
        admin = AdminClient({"bootstrap.servers": self.fleet.kafka, "log_level": 0})
        admin.delete_topics([self.topic])[self.topic].result(SECONDS)

    def check(self) -> None:
        """All that is stored agrees, and the topic is the log."""
        found = self.shell("verify", "--against", "kafka").json
        assert found["ok"], found


@pytest.fixture(scope="module")
def place(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One process of each kind: relay, projection, and two that follow the topic for their own ends."""
    with fleet_on(tmp_path_factory.mktemp("poison"), kafka, mongodb) as fleet:
        fleet.start_these("relay", "project", "serve storage", "work session")
        shell = fleet.client("ana", "sys-admin")
        yield Place(fleet, shell, proxy_of(shell))


@pytest.mark.parametrize("foreign", ["garbage", "a copy"])
def test_a_foreign_record_stops_all_visibly_until_the_topic_is_deleted_and_no_longer(
    place: Place, foreign: str
) -> None:
    before = place.add()
    place.await_visible(before)
    place.write(GARBAGE if foreign == "garbage" else place.last_message())
    last = place.add()
    all_stand_still(place, before)

    place.fleet.one("relay").stop()
    place.fleet.start("relay")  # a restart does not gloss over it
    assert place.add() == last + 1
    all_stand_still(place, before)

    processes = [it.process.pid for it in place.fleet.members if it.process.poll() is None]
    place.delete_topic()
    place.await_readiness(READY, "relay", "project", "work session", "serve storage")
    place.await_visible(last + 1)
    assert [it.process.pid for it in place.fleet.members if it.process.poll() is None] == processes
    storage = place.fleet.one("serve storage")
    until(lambda: storage.gauges["relay_lag_events"] == 0)
    assert (storage.gauges["relay_fault"], storage.gauges["projection_fault"]) == (0, 0)
    place.check()


def all_stand_still(place: Place, position: int) -> None:
    """The relay, the projection and all who follow say so; commands and questions about the log go on."""
    relay, storage = place.fleet.one("relay"), place.fleet.one("serve storage")
    place.await_readiness(UNABLE, "relay", "project", "work session", "serve storage")
    until(lambda: storage.gauges["relay_fault"] == 1)
    until(lambda: storage.gauges["projection_fault"] == 1)
    assert place.projected() == position
    # Each tries again and again: until it meets the record anew, it says nothing of it.
    until(lambda: f"Somebody else wrote to the topic {place.topic}" in relay.get("/health/ready")[1])
    until(lambda: f"position {position + 1}: " in place.fleet.one("project").get("/health/ready")[1])
    until(lambda: f"stand still at position {position + 1}" in storage.get("/health/ready")[1])
    assert place.client.exchange(place.client.call("GET", "/log?limit=5")).body["communications"]


def test_a_topic_that_is_deleted_under_running_processes_is_filled_again(place: Place) -> None:
    place.await_visible(place.add())
    place.delete_topic()
    place.await_visible(place.add())
    place.await_readiness(READY, "relay", "project", "work session", "serve storage")
    place.check()


def test_a_strangers_consumer_group_disturbs_nothing(place: Place) -> None:
    strangers = [stranger(place) for _ in range(2)]
    try:
        for _ in range(3):
            position = place.add()
            until(lambda: any(it.consume(1, 0.1) for it in strangers))
            place.await_visible(position)
        strangers.pop().close()  # the group is balanced anew
        place.await_visible(place.add())
    finally:
        for one in strangers:
            one.close()
    place.await_readiness(READY, "relay", "project", "work session", "serve storage")
    place.check()


def stranger(place: Place) -> Consumer:
    """Join a group that keeps its offsets in Kafka."""
    chosen = {"group.id": f"{place.fleet.database}-strangers", "auto.offset.reset": "earliest", "log_level": 0}
    consumer = Consumer({"bootstrap.servers": place.fleet.kafka} | chosen)
    consumer.subscribe([place.topic, f"{place.fleet.database}.communications"])
    return consumer


def test_an_event_of_a_newer_version_stops_the_projection_until_one_that_knows_it_takes_over(
    place: Place, tmp_path: Path
) -> None:
    before = place.add()
    place.await_visible(before)
    append_newer(place)
    last = place.add()
    old = place.fleet.one("project")
    place.await_readiness(UNABLE, "project", "serve storage")
    place.await_readiness(READY, "relay")
    assert place.projected() == before
    until(lambda: f"position {before + 1}: " in old.get("/health/ready")[1])

    new = start_that_knows(place, tmp_path)
    assert new.in_charge == set()
    assert old.stop() == 0
    place.await_visible(last)
    place.await_readiness(READY, "project", "serve storage")


def append_newer(place: Place) -> None:
    """Append as a process of a newer version would."""
    mongo = Mongo(place.fleet.mongodb, place.fleet.database)
    try:
        event = NewerClientAdded(originator_id="client:newer", originator_version=1, roles=("analyst",))
        MongoEventStore(mongo).append([event], AppendHeader(uuid4(), uuid4(), Metadata(actor="new"), ""))
    finally:
        mongo.close()


def start_that_knows(place: Place, folder: Path) -> Member:
    """Start a projection that reads the newer name: Python runs `sitecustomize` at its start."""
    (folder / "sitecustomize.py").write_text(KNOWS_NEWER)
    place.fleet.more["PYTHONPATH"] = f"{folder}:{ROOT}"
    try:
        return place.fleet.start("project")
    finally:
        del place.fleet.more["PYTHONPATH"]
