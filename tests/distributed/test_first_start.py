"""A start: a database beside topics that say more was lost or is an old back-up, and nothing may be appended to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from confluent_kafka import Producer

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.recovery.comparison import TopicComparison
from adapters.distributed.recovery.first_start import check_start
from adapters.distributed.topics.topics import ensure_topics, has_topic, topics_of
from domain.errors import ConflictError, NotAbleError
from tests.contracts.events import append
from tests.distributed.published import Published, call
from tests.serving.place import until


def publish(kafka: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0})
    producer.produce(topic, b"a record of a log that was lost")
    assert producer.flush(10) == 0


def test_nothing_at_all_is_a_first_start_and_makes_the_topics(mongo: Mongo, kafka: str) -> None:
    check_start(mongo, kafka)
    check_start(mongo, kafka)


@pytest.mark.parametrize("number", [0, 1])
def test_full_topics_beside_an_empty_database_are_for_recovery(mongo: Mongo, kafka: str, number: int) -> None:
    ensure_topics(kafka, mongo.name)
    publish(kafka, topics_of(mongo.name)[number])
    with pytest.raises(ConflictError, match="recover --from-kafka"):
        check_start(mongo, kafka)


def test_without_kafka_it_cannot_be_told(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.3)
    for collection in ("commits", "communications"):
        mongo.collection(collection).insert_one({"_id": 1})
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        check_start(mongo, "127.0.0.1:1")


def test_topics_that_were_removed_to_be_filled_again_say_nothing(mongo: Mongo, kafka: str) -> None:
    append(MongoEventStore(mongo), "s")
    MongoAuditLog(mongo, "w").append(call(0))
    check_start(mongo, kafka)
    assert not any(has_topic(kafka, topic) for topic in topics_of(mongo.name))


def test_the_comparison_is_repeated_until_it_was_made_once(
    mongo: Mongo, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(mongo, kafka)
    address = "127.0.0.1:1"
    comparison = TopicComparison(lambda: check_start(mongo, address))
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 1.0)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        comparison.make()
    with pytest.raises(NotAbleError, match=r"No command is accepted before .* No broker of Kafka"):
        comparison.require()
    comparison.start()
    address = kafka
    until(lambda: comparison.fault is None)
    comparison.stop()
    address = "127.0.0.1:1"
    comparison.require()


def test_what_it_finds_keeps_commands_out(mongo: Mongo, kafka: str) -> None:
    live(mongo, kafka)
    mongo.collection("commits").delete_many({"_id": {"$gt": 2}})
    comparison = TopicComparison(lambda: check_start(mongo, kafka))
    comparison.start()
    until(lambda: "older back-up" in (comparison.fault or ""))
    with pytest.raises(NotAbleError, match="older back-up"):
        comparison.require()
    comparison.stop()


def live(mongo: Mongo, kafka: str) -> Published:
    """Have a log of four commits, and four communications, and both in their topics."""
    store, audit_log, published = MongoEventStore(mongo), MongoAuditLog(mongo, "w"), Published(kafka, mongo.name)
    for number in range(4):
        append(store, f"s{number}", count=number + 1)
        audit_log.append(call(number))
    published.all_of(mongo)
    return published


def test_a_database_that_its_topics_follow_is_fine_whatever_others_wrote_to_them(mongo: Mongo, kafka: str) -> None:
    published = live(mongo, kafka)
    check_start(mongo, kafka)
    append(MongoEventStore(mongo), "not relayed yet")
    check_start(mongo, kafka)
    commits = MongoFeed(mongo).raw_after(0, 100)
    beyond = replace(commits[-1], first=commits[-1].first + 7, position=commits[-1].position + 7)
    for topic in topics_of(mongo.name):
        publish(kafka, topic)
    published.commits([commits[1], beyond])
    check_start(mongo, kafka)


@pytest.mark.parametrize("collection", ["commits", "communications"])
@pytest.mark.parametrize("grown", [False, True])
def test_a_back_up_older_than_the_topics_is_for_recovery(
    mongo: Mongo, kafka: str, collection: str, grown: bool
) -> None:
    live(mongo, kafka)
    mongo.collection(collection).delete_many({"_id": {"$gt": 2}})
    if grown:
        for number in range(9):
            append(MongoEventStore(mongo), f"other{number}")
            MongoAuditLog(mongo, "v").append(call(number))
    with pytest.raises(ConflictError, match=r"older back-up.*recover --from-kafka"):
        check_start(mongo, kafka)


def test_garbage_at_the_end_does_not_hide_it(mongo: Mongo, kafka: str) -> None:
    live(mongo, kafka)
    mongo.collection("commits").delete_many({"_id": {"$gt": 2}})
    for _ in range(70):
        publish(kafka, topics_of(mongo.name)[0])
    with pytest.raises(ConflictError, match="older back-up"):
        check_start(mongo, kafka)


def test_the_first_start_needs_kafka(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.3)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        check_start(mongo, "127.0.0.1:1")
