"""The very first start: an empty database beside full topics is a lost one, and nothing may be appended to it."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from adapters.distributed.first_start import check_first_start
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics import ensure_topics, topics_of
from domain.errors import ConflictError, NotAbleError


def publish(kafka: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0})
    producer.produce(topic, b"a record of a log that was lost")
    assert producer.flush(10) == 0


def test_nothing_at_all_is_a_first_start_and_makes_the_topics(mongo: Mongo, kafka: str) -> None:
    check_first_start(mongo, kafka)
    check_first_start(mongo, kafka)


@pytest.mark.parametrize("number", [0, 1])
def test_full_topics_beside_an_empty_database_are_for_recovery(mongo: Mongo, kafka: str, number: int) -> None:
    ensure_topics(kafka, mongo.name)
    publish(kafka, topics_of(mongo.name)[number])
    with pytest.raises(ConflictError, match="recover --from-kafka"):
        check_first_start(mongo, kafka)


def test_later_starts_need_no_kafka(mongo: Mongo) -> None:
    for collection in ("commits", "communications"):
        mongo.collection(collection).insert_one({"_id": 1})
    check_first_start(mongo, "127.0.0.1:1")


def test_the_first_start_needs_kafka(mongo: Mongo) -> None:
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        check_first_start(mongo, "127.0.0.1:1")
