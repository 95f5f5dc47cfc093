"""A relay in charge fills the topic, tells how far, and leaves one that somebody else wrote to as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest
from confluent_kafka import Producer

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.document_format import faults_of
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.dependencies import relay_gauges, topic_remark
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relaying import Relaying
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.verification.state_documents import state_formats
from domain.errors import NotAbleError
from tests.contracts.events import append
from tests.distributed.published import INSTALLATION, call

TIMEOUT = 30.0


def of_events(kafka: str, mongo: Mongo) -> Relaying:
    return Relaying(kafka, mongo, INSTALLATION, EVENT_LOG, LOG_RELAY)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        Event().wait(0.01)


def read_status(mongo: Mongo, work: str) -> dict[str, object]:
    return Statuses(mongo).read(work)


def test_the_topic_is_made_and_filled_and_how_far_it_is_gets_reported(kafka: str, mongo: Mongo) -> None:
    store, ending, well = MongoEventStore(mongo), Event(), Event()
    append(store, "s", count=3)
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(of_events(kafka, mongo).turn, ending, well.set)
        until(lambda: read_status(mongo, LOG_RELAY).get("position") == 3)
        append(store, "t", count=2)
        until(lambda: read_status(mongo, LOG_RELAY).get("position") == 5)
        ending.set()
        turn.result(TIMEOUT)
    feed = KafkaFeed(kafka, mongo.name, INSTALLATION)
    assert feed.raw_after(0, 100) == MongoFeed(mongo).raw_after(0, 100)
    feed.close()
    assert well.is_set()
    assert (read_status(mongo, LOG_RELAY)["fault"], read_status(mongo, LOG_RELAY)["replicas"]) == (None, 1)
    assert faults_of(mongo.collection("statuses"), state_formats(datetime.now(UTC))["statuses"]) == []


def test_fewer_replicas_than_wanted_are_a_remark_of_every_process(kafka: str, mongo: Mongo) -> None:
    for replication in (1, 3):
        assert topic_remark(Statuses(mongo)) is None
        ending = Event()
        relaying = Relaying(kafka, mongo, INSTALLATION, EVENT_LOG, LOG_RELAY, replication=replication)
        relaying.turn(ending, ending.set)
    assert f"The topic {mongo.name}.events has 1 replica, and 3 are wanted" in (topic_remark(Statuses(mongo)) or "")
    assert relay_gauges(mongo, Statuses(mongo))["relay_replicas"] == 1
    assert faults_of(mongo.collection("statuses"), state_formats(datetime.now(UTC))["statuses"]) == []


def test_the_audit_log_is_relayed_likewise(kafka: str, mongo: Mongo) -> None:
    audit_log, ending = MongoAuditLog(mongo, "w"), Event()
    last = [audit_log.append(call(number)) for number in range(3)][-1].position
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(Relaying(kafka, mongo, INSTALLATION, AUDIT_LOG, AUDIT_LOG_RELAY).turn, ending, Event().set)
        until(lambda: read_status(mongo, AUDIT_LOG_RELAY).get("position") == last)
        ending.set()
        turn.result(TIMEOUT)


def test_what_somebody_else_wrote_stops_it_and_every_relay_after_it(kafka: str, mongo: Mongo) -> None:
    append(MongoEventStore(mongo), "s")
    ending = Event()
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(of_events(kafka, mongo).turn, ending, Event().set)
        until(lambda: read_status(mongo, LOG_RELAY).get("position") == 1)
        stranger = Producer({"bootstrap.servers": kafka, "log_level": 0})
        stranger.produce(f"{mongo.name}.events", b"garbage")
        assert stranger.flush(TIMEOUT) == 0
        append(MongoEventStore(mongo), "t")
        with pytest.raises(DamagedTopic):
            turn.result(TIMEOUT)
    assert read_status(mongo, LOG_RELAY)["fault"]
    with pytest.raises(DamagedTopic):
        of_events(kafka, mongo).turn(ending, Event().set)


def test_the_place_where_the_next_relay_reads_on_is_reported_and_a_new_topic_has_none(kafka: str, mongo: Mongo) -> None:
    append(MongoEventStore(mongo), "s")
    ending = Event()
    ending.set()
    another = {"topic": "another", "offset": 0, "position": 1}  # believed, position 2 would be due at offset 0
    Statuses(mongo).report(LOG_RELAY, checked=another)

    def has_begun() -> bool:
        of_events(kafka, mongo).turn(ending, Event().set)  # told to end, it does not wait for a slow Kafka
        return read_status(mongo, LOG_RELAY)["checked"] != another

    until(has_begun)
    checked: dict[str, object] = read_status(mongo, LOG_RELAY)["checked"]  # type: ignore[assignment] # a part of the document
    assert (checked["offset"], checked["position"]) == (0, 0)
    ending.clear()
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(of_events(kafka, mongo).turn, ending, Event().set)
        until(lambda: read_status(mongo, LOG_RELAY).get("position") == 1)
        ending.set()
        turn.result(TIMEOUT)
    checked = read_status(mongo, LOG_RELAY)["checked"]  # type: ignore[assignment] # as above
    assert (checked["offset"], checked["position"]) == (1, 1)


def test_damage_that_could_not_be_told_is_found_by_the_next_relay(
    kafka: str, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ending = MongoEventStore(mongo), Event()
    append(store, "s")
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(of_events(kafka, mongo).turn, ending, Event().set)
        until(lambda: read_status(mongo, LOG_RELAY).get("position") == 1)
        with monkeypatch.context() as outage:
            outage.setattr(Statuses, "report", away)
            stranger = Producer({"bootstrap.servers": kafka, "log_level": 0})
            stranger.produce(f"{mongo.name}.events", b"garbage")
            assert stranger.flush(TIMEOUT) == 0
            append(store, "t", count=2)
            with pytest.raises(NotAbleError):
                turn.result(TIMEOUT)
    with pytest.raises(DamagedTopic, match="Somebody else wrote"):
        of_events(kafka, mongo).turn(ending, Event().set)
    assert read_status(mongo, LOG_RELAY)["fault"]


def away(*_: object, **__: object) -> None:
    raise NotAbleError("MongoDB cannot do it now.")


def test_an_outage_of_kafka_is_reported_to_those_who_stand_by(mongo: Mongo) -> None:
    with pytest.raises(NotAbleError):
        of_events("127.0.0.1:1", mongo).turn(Event(), lambda: None)
    assert "AUTOLEARN_KAFKA" in Statuses(mongo).read("relay")["outage"]
