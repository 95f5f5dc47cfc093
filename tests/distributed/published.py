"""Topics filled as a relay fills them, by a producer of the library alone; and lives worth publishing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.cloud_events import Message, commit_messages, origin
from adapters.distributed.topics.topics import ensure_topics, topics_of
from projections.ports import AuditRecord, RawCommit, StoredAuditRecord
from tests.distributed.log_sources import record_message
from tests.projections.random_life import life_of, live
from tests.projections.world import World

INSTALLATION = "ab" * 16
SECONDS = 30.0


def call(number: int) -> AuditRecord:
    """Make up a call."""
    texts = ("actor", "source", "target", "operation", "outcome", "problem", "causation", "digest_in", "digest_out")
    facts: dict[str, Any] = dict.fromkeys(texts, f"{number} ✓")
    sizes: dict[str, Any] = {"bytes_in": number, "bytes_out": 2**40, "domain_position": number}
    return AuditRecord(kind="call", correlation=f"call-{number}", milliseconds=number / 7, **facts, **sizes)


def live_on(mongo: Mongo, steps: int, calls: int) -> None:
    """Let clients and workers live on the database, with calls by two processes."""
    world = World()
    world.store = MongoEventStore(mongo)  # type: ignore[assignment] # the same port
    live(world, life_of(23, steps), fold_now_and_then=False)
    world.close()
    for number in range(calls):
        MongoAuditLog(mongo, f"w{number % 2}").append(call(number))


def as_bytes(mongo: Mongo, collection: str) -> list[bytes]:
    """Return the documents of a collection as they are stored."""
    raw: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
    return [it.raw for it in mongo.collection(collection).with_options(codec_options=raw).find(sort=[("_id", 1)])]


@dataclass
class Published:
    """The topics of an installation, written by hand."""

    bootstrap: str
    database: str

    def __post_init__(self) -> None:
        ensure_topics(self.bootstrap, self.database)
        self.source = origin(self.database, INSTALLATION)
        self.events, self.audit_log = topics_of(self.database)
        self._producers: dict[str, Producer] = {}

    def all_of(self, mongo: Mongo) -> None:
        """Publish what is stored."""
        self.commits(MongoFeed(mongo).raw_after(0, 10**9))
        self.stored(MongoAuditLog(mongo, "reader").read(0, 10**9))

    def commits(self, commits: Iterable[RawCommit]) -> None:
        """Publish commits."""
        self.messages(self.events, [commit_messages(commit, self.source) for commit in commits])

    def stored(self, records: Iterable[StoredAuditRecord]) -> None:
        """Publish communications."""
        self.messages(self.audit_log, [[record_message(it, self.source) for it in records]])

    def messages(self, topic: str, transactions: Sequence[Sequence[Message]], *, last_committed: bool = True) -> None:
        """Publish messages, a transaction for each group; the last one can be aborted."""
        producer = self._producer(topic)
        for number, group in enumerate(transactions, 1):
            producer.begin_transaction()
            for key, value, headers in group:
                producer.produce(topic, value, key, headers=list(headers))
            if last_committed or number < len(transactions):
                producer.commit_transaction(SECONDS)
            else:
                producer.flush(SECONDS)
                producer.abort_transaction(SECONDS)

    def delete_before(self, topic: str, offset: int) -> None:
        """Delete the oldest records, as retention does."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        cut = TopicPartition(topic, 0, offset)
        admin.delete_records([cut])[cut].result(SECONDS)

    def _producer(self, topic: str) -> Producer:
        if topic not in self._producers:
            chosen: dict[str, Any] = {"transactional.id": f"by-hand-{topic}", "linger.ms": 0, "log_level": 0}
            producer = Producer({"bootstrap.servers": self.bootstrap} | chosen)
            producer.init_transactions(SECONDS)
            self._producers[topic] = producer
        return self._producers[topic]
