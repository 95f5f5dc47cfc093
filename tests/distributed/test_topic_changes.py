"""Verify finds each change of a record in a topic: key, value, headers, their order; and topics that lose records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package forgets __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from adapters.distributed.audit_log.record_schema import AUDIT_LOG, DEFAULTS
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, Record, commit_messages, parse_record
from adapters.distributed.verification.topic_copy import TopicCopy, exact_entries
from projections.ports import Finding
from projections.verification.topic_check import CopyCheck
from tests.distributed.log_sources import record_message
from tests.distributed.published import Published, live_on

SOURCE = "/autolearn/x/" + "ab" * 16
SECONDS = 30.0


def records_of(messages: Sequence[Message]) -> Iterator[Record | Finding]:
    for message in messages:
        try:
            yield parse_record(message)
        except DamagedRecordError as damaged:
            yield None, damaged.sentence


def changes(message: Message) -> Iterator[tuple[str, Message]]:
    """Change one thing of a record."""
    key, value, headers = message
    for other in (key + b"x", key[:-1], key.swapcase(), b""):
        yield "key", Message(other, value, headers)
    for place in range(len(value)):
        yield f"value at {place}", Message(key, value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :], headers)
    yield "value longer", Message(key, value + b" ", headers)
    yield "value shorter", Message(key, value[:-1], headers)
    for n, (name, told) in enumerate(headers):
        before, after = headers[:n], headers[n + 1 :]
        for other in (told + b" ", told[:-1], b"0" + told, told.swapcase(), b""):
            if other != told:
                yield f"{name} is {other!r}", Message(key, value, [*before, (name, other), *after])
        yield f"{name} removed", Message(key, value, [*before, *after])
        yield f"{name} twice", Message(key, value, [*headers, (name, told)])
        yield f"{name} renamed", Message(key, value, [*before, (name.upper(), told), *after])
        yield f"more before {name}", Message(key, value, [*before, ("ce_more", b"1"), (name, told), *after])
        if n:
            yield f"{name} ahead", Message(key, value, [*headers[: n - 1], headers[n], headers[n - 1], *after])


@pytest.fixture
def lived(mongo: Mongo) -> Mongo:
    live_on(mongo, steps=12, calls=3)
    return mongo


def test_every_change_of_a_record_of_an_event_is_found(lived: Mongo) -> None:
    log = MongoFeed(lived)
    commits = log.raw_after(0, 10**9)
    groups = [commit_messages(commit, SOURCE) for commit in commits]
    chosen = next(n for n, group in enumerate(groups) if len(group) > 1)

    def faults(group: list[Message]) -> list[Finding]:
        messages = [it for n, one in enumerate(groups) for it in (group if n == chosen else one)]
        check = CopyCheck("the topic", log.raw_after, commits[-1].position)
        list(check.run(exact_entries(records_of(messages), EVENT_LOG, SOURCE)))
        return check.faults

    assert faults(groups[chosen]) == []
    for place, message in enumerate(groups[chosen]):
        for what, changed in changes(message):
            group = [*groups[chosen][:place], changed, *groups[chosen][place + 1 :]]
            assert faults(group), f"{place}: {what}"
    assert faults(groups[chosen][::-1])


def test_every_change_of_a_record_of_a_call_is_found(lived: Mongo) -> None:
    audit_log = MongoAuditLog(lived, "reader")
    messages = [record_message(it, SOURCE) for it in audit_log.read(0, 10)]

    def faults(changed: Message) -> list[Finding]:
        check = CopyCheck("the topic", audit_log.read, 3)
        list(check.run(exact_entries(records_of([messages[0], changed, messages[2]]), AUDIT_LOG, SOURCE)))
        return check.faults

    assert faults(messages[1]) == []
    for what, changed in changes(messages[1]):
        assert faults(changed), what


def test_records_that_an_older_version_relayed_are_as_good(lived: Mongo) -> None:
    (first, *_) = MongoAuditLog(lived, "reader").read(0, 1)
    key, value, headers = record_message(first, SOURCE)
    shorter = value[: value.index(f',"{next(iter(DEFAULTS))}"'.encode())] + b"}"
    assert list(exact_entries(records_of([Message(key, shorter, headers)]), AUDIT_LOG, SOURCE)) == [first]


@pytest.fixture
def published(kafka: str, installation: str, lived: Mongo) -> Published:
    published = Published(kafka, installation)
    published.all_of(lived)
    return published


def found(published: Published) -> list[Any]:
    copy = TopicCopy(published.bootstrap, published.database, published.source)
    return [it for it in (*copy.commits(0, 0), *copy.audit_log(0, 0)) if isinstance(it, tuple)]


def test_headers_are_looked_at_as_kafka_has_them(lived: Mongo, published: Published) -> None:
    assert found(published) == []
    first = MongoFeed(lived).raw_after(0, 1)[0]
    (key, value, headers), *rest = commit_messages(first, published.source)
    published.messages(published.events, [[Message(key, value, [*headers, ("more", b"1")]), *rest]])
    assert found(published) == [(first.first, f"the record at position {first.first} has another more")]


def test_a_topic_that_would_lose_records_or_has_two_orders_is_reported(published: Published) -> None:
    admin = AdminClient({"bootstrap.servers": published.bootstrap})
    change = ConfigEntry("retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, published.events, incremental_configs=[change])
    admin.incremental_alter_configs([resource])[resource].result(SECONDS)
    admin.create_partitions([NewPartitions(published.audit_log, 2)])[published.audit_log].result(SECONDS)
    assert [what for _, what in found(published)] == [
        f"{published.events}: it has retention.ms=86400000, not -1: records will be lost",
        f"{published.audit_log}: it has 2 partitions, not 1",
    ]
