"""Topics on three brokers: processes that start together make them, and no broker denies one that was made."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from adapters.distributed.topics.topics import ensure_topic, ensure_topics, find_topic, topics_of
from domain.errors import NotAbleError
from tests.servers import cluster
from tests.servers.fixtures import not_here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SECONDS = 30.0
STARTS = 10
TOGETHER = 4


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of three brokers."""
    try:
        nodes = cluster.nodes_in(tmp_path_factory.mktemp("cluster"))
    except LookupError as missing:
        not_here(missing)
    with cluster.running(nodes) as url:
        yield url


def in_sync(kafka: str, topic: str) -> str:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": kafka})  # held until the answer has come
    found = admin.describe_configs([resource])[resource].result(SECONDS)
    return str(found["min.insync.replicas"].value)


def test_processes_that_start_together_on_several_brokers_all_start(brokers: str) -> None:
    """Without the wait for every broker, 7 of 20 in a trial found a topic without partitions, or none at all."""
    each = brokers.split(",")
    with ThreadPoolExecutor(TOGETHER) as pool:
        for number in range(STARTS):
            list(pool.map(lambda it, n=number: ensure_topics(each[it % len(each)], f"start-{n}"), range(TOGETHER)))
            for topic in topics_of(f"start-{number}"):
                for broker in each:
                    found = AdminClient({"bootstrap.servers": broker}).list_topics(topic, SECONDS).topics[topic]
                    assert [partition.leader >= 0 for partition in found.partitions.values()] == [True]


@pytest.mark.parametrize(
    ("asked", "replicas", "acknowledging"), [(None, 3, "2"), (3, 3, "2"), (2, 2, "1"), (1, 1, "1")]
)
def test_a_topic_has_the_replicas_that_are_asked_for(
    brokers: str, asked: int | None, replicas: int, acknowledging: str
) -> None:
    made = ensure_topic(brokers, f"replicas-{asked}.events", asked)
    assert (made.replicas, made.wanted, made.remark) == (replicas, replicas, None)
    assert in_sync(brokers, made.name) == acknowledging


def test_fewer_replicas_than_asked_for_are_told(brokers: str) -> None:
    ensure_topic(brokers, "fewer.events", 1)
    found = find_topic(brokers, "fewer.events")
    assert found is not None
    assert found.remark is not None
    assert "The topic fewer.events has 1 replica, and 3 are wanted (AUTOLEARN_REPLICATION)" in found.remark
    assert find_topic(brokers, "nothing.events") is None


def test_more_replicas_than_brokers_are_waited_for(brokers: str) -> None:
    with pytest.raises(NotAbleError, match=r"create the topic five\.events \(AUTOLEARN_REPLICATION 5\) now"):
        ensure_topic(brokers, "five.events", 5)


def test_a_topic_that_was_there_before_keeps_its_replicas(brokers: str) -> None:
    admin = AdminClient({"bootstrap.servers": brokers})
    admin.create_topics([NewTopic("older.events", 1, 2)])["older.events"].result(SECONDS)
    ensure_topics(brokers, "older")
    assert ensure_topic(brokers, "older.events").replicas == 2
