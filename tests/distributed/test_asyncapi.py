"""What a stock consumer reads is what docs/asyncapi.json promises: every kind of event, and communications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import installation_id
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.topics import ensure_topics, topics_of
from adapters.log.upcasters import UPCASTERS
from commands.ports import AppendHeader
from domain.events import Event, Metadata
from tests.distributed.log_sources import audit_source, event_source
from tests.distributed.published import live_on
from tests.wire.contract import contract, violations
from tests.wire.examples import EXAMPLES
from tests.wire.json_schemas import schemas

NAMES = {*schemas()} - {*UPCASTERS}  # nobody writes older names any more
Read = tuple[str, dict[str, str], bytes]


def examples() -> list[Event]:
    """Return one event of every kind, as they can follow each other."""
    versions: Counter[str] = Counter()
    events = []
    for event in EXAMPLES:
        stream = f"{event.originator_id}-examples"
        versions[stream] += 1
        place = {"originator_id": stream, "originator_version": versions[stream]}
        events.append(event.model_copy(update=place))
    return events


@pytest.fixture
def topics(kafka: str, mongo: Mongo) -> tuple[str, str]:
    """Both topics, relayed from a database on which somebody lived."""
    source = origin(mongo.name, installation_id(mongo))
    live_on(mongo, steps=80, calls=9)
    MongoEventStore(mongo).append(examples(), AppendHeader(uuid4(), uuid4(), Metadata(actor="ana"), "ab" * 32))
    ensure_topics(kafka, mongo.name)
    log, audit_log = MongoFeed(mongo), MongoAuditLog(mongo, "relay")
    events, communications = topics_of(mongo.name)
    relayed(kafka, events, event_source(log, source))
    relayed(kafka, communications, audit_source(audit_log, source))
    return events, communications


def relayed(kafka: str, topic: str, source: LogSource[Any]) -> None:
    relay = Relay(kafka, topic, f"relay-{topic}", source)
    while relay.step():
        pass
    relay.close()


def read(kafka: str, topic: str) -> Iterator[Read]:
    """Read a topic to its end, as any program would."""
    chosen = {"group.id": "anybody", "isolation.level": "read_committed", "enable.partition.eof": True}
    with Consumer({"bootstrap.servers": kafka, "auto.offset.reset": "earliest", "log_level": 0} | chosen) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while (message := consumer.poll(30)) is not None:
            error = message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                return
            headers = {name: as_text(value) for name, value in dict(message.headers() or ()).items()}
            yield as_text(message.key()), headers, as_text(message.value()).encode()
    pytest.fail("Kafka gave nothing")


def as_text(given: Any) -> str:
    assert isinstance(given, bytes)
    return given.decode()


def test_every_record_of_both_topics_is_as_promised(kafka: str, topics: tuple[str, str]) -> None:
    seen = set()
    for topic in topics:
        places = []
        for key, headers, value in read(kafka, topic):
            assert violations(headers, value, key) == []
            places.append(int(headers["ce_sequence"]))
            seen.add(headers["ce_type"])
        assert places == list(range(1, len(places) + 1))
    assert seen == NAMES


def test_the_topics_are_as_the_document_says(mongo: Mongo, topics: tuple[str, str]) -> None:
    addresses = {channel["address"] for channel in contract()["channels"].values()}
    assert {address.replace("{database}", mongo.name) for address in addresses} == set(topics)


def test_the_document_refuses_what_no_relay_writes(kafka: str, topics: tuple[str, str]) -> None:
    key, headers, value = next(read(kafka, topics[0]))
    for name, wrong in {"ce_sequence": "0", "ce_time": "2026-01-31", "ce_commithash": "x", "ce_source": "/x"}.items():
        assert violations(headers | {name: wrong}, value) != []
        assert violations({other: it for other, it in headers.items() if other != name}, value) != []
    assert violations(headers | {"ce_more": "1"}, value) != []
    assert violations(headers, b"{}") != []
    assert violations(headers, value, f"{key}x") != []
