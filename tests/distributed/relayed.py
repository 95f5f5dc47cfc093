"""A log in memory and its topic in Kafka, for tests of relay and feed: MongoDB is not what they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from threading import Event
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.resume import Checkpoint
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import Message, commit_messages, origin, parse_commit, parse_record
from adapters.distributed.topics.consumer import to_message
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics, topics_of
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from projections.ports import RawCommit
from tests.contracts.events import append
from tests.distributed.log_sources import event_source

INSTALLATION = "ab" * 16
SECONDS = 30.0


def stepped(relay: Relay) -> int:
    """Relay one batch and wait until all readers see it, which is some milliseconds after it was committed."""
    count = relay.step()
    relay._seeker.wait_for_end(relay.checkpoint.offset)
    return count


def commits_of(messages: Sequence[Message]) -> list[RawCommit]:
    """Return the commits of messages that hold whole commits, in order; raises DamagedRecordError."""
    records = [parse_record(message) for message in messages]
    return [parse_commit(list(commit)) for _, commit in groupby(records, lambda record: record.last)]


class Relayed:
    """One installation: `log` is what MongoDB would hold."""

    def __init__(self, kafka: str, database: str) -> None:
        self.kafka, self.database = kafka, database
        self.topic = topics_of(database)[0]
        self.origin = origin(database, INSTALLATION)
        self.stored = Database(":memory:")
        self.store, self.log = SqliteEventStore(self.stored), SqliteFeed(self.stored)
        ensure_topics(kafka, database)

    @property
    def source(self) -> LogSource[RawCommit]:
        return event_source(self.log, self.origin)

    def relay(self, known: Checkpoint | None = None, ending: Event | None = None) -> Relay:
        return Relay(self.kafka, self.topic, self.topic, self.source, known=known, ending=ending)

    def grow(self, *sizes: int) -> None:
        """Append commits of so many events each."""
        for size in sizes:
            append(self.store, f"s{self.log.end()[0]}", count=size)

    def relay_all(self) -> None:
        with self.relay() as relay:
            while stepped(relay):
                pass

    def commits(self) -> list[RawCommit]:
        return self.log.raw_after(0, 10**6)

    def write(self, *messages: Message) -> None:
        """Write as somebody other than a relay."""
        producer = Producer({"bootstrap.servers": self.kafka, "linger.ms": 0, "log_level": 0})
        for key, value, headers in messages:
            some: Any = list(headers)
            producer.produce(self.topic, value, key, 0, headers=some)
        assert producer.flush(SECONDS) == 0

    def messages(self, commits: Sequence[RawCommit]) -> list[Message]:
        return [message for commit in commits for message in commit_messages(commit, self.origin)]

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.kafka, "log_level": 0})

    def delete_topic(self) -> None:
        admin = self.admin()
        admin.delete_topics([self.topic])[self.topic].result(SECONDS)

    @contextmanager
    def feed(self) -> Iterator[KafkaFeed]:
        feed = KafkaFeed(self.kafka, self.database)
        yield feed
        feed.close()


def stock_reading(relayed: Relayed) -> list[Message]:
    """Read the whole topic as any integrator's consumer would."""
    config = {"bootstrap.servers": relayed.kafka, "group.id": "stock", "enable.partition.eof": True, "log_level": 0}
    messages = []
    with Consumer({**config, "isolation.level": "read_committed"}) as consumer:
        consumer.assign([TopicPartition(relayed.topic, 0, 0)])
        while (message := consumer.poll(SECONDS)) is not None and message.error() is None:
            messages.append(to_message(message))
    return messages


def in_the_topic(relayed: Relayed) -> list[RawCommit]:
    return commits_of(stock_reading(relayed))


def open_transaction(relayed: Relayed, transactional_id: str, messages: list[Message]) -> Producer:
    producer = Producer(
        {"bootstrap.servers": relayed.kafka, "transactional.id": transactional_id, "log_level": 0, "linger.ms": 0}
    )
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    for key, value, headers in messages:
        producer.produce(relayed.topic, value, key, 0, headers=[*headers])
    assert producer.flush(SECONDS) == 0
    return producer
