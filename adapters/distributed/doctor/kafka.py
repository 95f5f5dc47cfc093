"""What `doctor` asks Kafka. Each function returns what it found, or raises what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    ConfigResource,
    ResourceType,
    TopicDescription,
)

from adapters.distributed.doctor.rights import enough_on_kafka
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import Mongo
from adapters.distributed.recovery.last_entry import last_entry
from adapters.distributed.topics import kafka
from adapters.distributed.topics.kafka import KafkaAdmin, NoTopicError, kafka_errors
from adapters.distributed.topics.topics import USUAL_REPLICAS, topic_faults
from adapters.log.chain import E
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotAbleError

OLDER: Final = "inter.broker.protocol.version"  # brokers before 4.0 have this setting


class Brokers:
    """The cluster at AUTOLEARN_KAFKA, asked as an administrator of it would; raises as `kafka_errors`."""

    def __init__(self, address: str) -> None:
        self._address = address
        with kafka_errors("begin", "DESCRIBE"):
            self._admin = KafkaAdmin(address)

    def cluster(self) -> str:
        """Return how many brokers there are, and of which version as far as they tell."""
        brokers = self._ids()
        many = f"{len(brokers)} broker{'s' * (len(brokers) != 1)}"
        try:
            version = version_of(self._settings(ResourceType.BROKER, str(brokers[0]), "the cluster"))
        except ForbiddenError:
            return f"{many}; their version is not shown to this user"
        return f"{many}, {version}"

    def topic(self, topic: str, replication: int | None = None) -> str:
        """Return partition, replicas and retention of a topic; raises what keeps it from holding a log."""
        found = self._find(topic)
        if found is None:
            return "not there: `relay` makes it"
        if faults := topic_faults(self._address, topic):
            raise BadInputError(f"The topic {topic} does not keep a log: {'; '.join(faults)}.")
        replicas, in_sync = found.partitions[0].replicas, found.partitions[0].isr
        wanted = replication or min(USUAL_REPLICAS, len(self._ids()))
        if len(replicas) < wanted:
            raise BadInputError(
                f"The topic {topic} has {len(replicas)} of {wanted} replicas: reassign its partition with Kafka's tools"
            )
        if len(in_sync) < len(replicas):
            raise NotAbleError(
                f"The topic {topic} has {len(in_sync)} of {len(replicas)} replicas in sync: bring the brokers back."
            )
        return f"1 partition, {len(replicas)} replicas, all in sync, {self._kept(topic)}"

    def _kept(self, topic: str) -> str:
        try:
            least = self._settings(ResourceType.TOPIC, topic, f"the topic {topic}").get("min.insync.replicas")
        except ForbiddenError:
            return "its settings are not shown to this user"
        return f"kept for ever, min.insync.replicas {least}"

    def rights(self, topics: tuple[str, ...]) -> str:
        """Return which roles the user has rights enough for; raises ForbiddenError where for none."""
        there = [found for topic in topics if (found := self._find(topic)) is not None]
        allowed = [frozenset(right.name for right in found.authorized_operations or ()) for found in there]
        return enough_on_kafka(allowed) if allowed else "told once the topics are there"

    def end(self, topic: str, mongo: Mongo, schema: MongoLogSchema[E]) -> str:
        """Compare the end of a topic with the log in MongoDB; raises ConflictError where the topic has more."""
        if self._find(topic) is None or (last := last_entry(self._address, topic, schema)) is None:
            return "nothing is copied yet"
        reader = MongoLogReader(mongo, schema)
        stored = next(iter(reader.read(last.position - 1, 1)), None)
        if stored is None or stored.hash != last.hash:
            what = "nothing" if stored is None else "something else"
            raise ConflictError(
                f"The topic {topic} goes on to position {last.position}, where MongoDB has {what}: MongoDB was restored"
                " from an older back-up, or the topic is of another log. Nothing starts: see `After a restore` in"
                " docs/operations.md.",
                position=last.position,
            )
        return f"copied to position {last.position} of {reader.end()[0]}"

    def _ids(self) -> list[int]:
        with kafka_errors("list its brokers", "DESCRIBE on the cluster", self._admin):
            return [
                node.id for node in self._admin.describe_cluster(request_timeout=kafka.REQUEST_SECONDS).result().nodes
            ]

    def _find(self, topic: str) -> TopicDescription | None:
        try:
            with kafka_errors(f"look at the topic {topic}", f"DESCRIBE on the topic {topic}", self._admin):
                asked = self._admin.describe_topics(
                    TopicCollection([topic]),
                    include_authorized_operations=True,
                    request_timeout=kafka.REQUEST_SECONDS,
                )
                found: TopicDescription = asked[topic].result()
                return found
        except NoTopicError:
            return None

    def _settings(self, kind: ResourceType, name: str, what: str) -> dict[str, Any]:
        resource = ConfigResource(kind, name)
        with kafka_errors(f"read the settings of {what}", f"DESCRIBE_CONFIGS on {what}", self._admin):
            described = self._admin.describe_configs([resource], request_timeout=kafka.REQUEST_SECONDS)
            return {key: entry.value for key, entry in described[resource].result().items()}


def version_of(settings: Mapping[str, Any]) -> str:
    """Tell a version by a broker's settings, as no client is told it; raises BadInputError for one before 4.0."""
    if OLDER in settings:
        raise BadInputError(f"The brokers are Kafka {settings[OLDER]}, and 4.0 or later is needed: upgrade them.")
    return "Kafka 4 or later"
