"""What `doctor` asks Kafka. Each function returns what it found, or raises what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka.admin import ResourceType  # type: ignore[attr-defined] # the package forgets __all__

from adapters.distributed.doctor.rights import enough_on_kafka
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import Mongo
from adapters.distributed.recovery.first_start import check_end
from adapters.distributed.topics import kafka
from adapters.distributed.topics.beginning import lost_beginning
from adapters.distributed.topics.kafka import KafkaAdmin, kafka_errors
from adapters.distributed.topics.topics import Topic, topic_faults, usual_replicas
from adapters.log.chain import E
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotAbleError

PROTOCOL_VERSION: Final = "inter.broker.protocol.version"  # brokers before 4.0 have this setting


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
            version = version_of(self._admin.read_settings(ResourceType.BROKER, str(brokers[0])))
        except ForbiddenError:
            return f"{many}; their version is not shown to this user"
        return f"{many}, {version}"

    def topic(self, topic: str, replication: int | None = None) -> str:
        """Return partition, replicas and retention of a topic; raises what keeps it from holding a log."""
        found = self._admin.find_topic(topic)
        if found is None:
            return "not there: `relay` makes it"
        if faults := topic_faults(self._address, topic):
            raise BadInputError(f"The topic {topic} does not keep a log: {'; '.join(faults)}.")
        if remark := Topic.described(found, replication or usual_replicas(len(self._ids()))).remark:
            raise BadInputError(remark)
        if (lost := lost_beginning(self._address, topic)) is not None:
            raise ConflictError(
                f"{lost.sentence}. Only MongoDB can fill it again: see `A damaged topic` in docs/operations.md.",
                **({} if lost.position is None else {"position": lost.position}),
            )
        replicas, in_sync = found.partitions[0].replicas, found.partitions[0].isr
        if len(in_sync) < len(replicas):
            raise NotAbleError(
                f"The topic {topic} has {len(in_sync)} of {len(replicas)} replicas in sync: bring the brokers back."
            )
        many = f"{len(replicas)} replica{'s' * (len(replicas) != 1)}"
        return f"1 partition, {many}, all in sync, {self._kept(topic)}"

    def _kept(self, topic: str) -> str:
        try:
            least = self._admin.read_settings(ResourceType.TOPIC, topic).get("min.insync.replicas")
        except ForbiddenError:
            return "its settings are not shown to this user"
        return f"kept for ever, min.insync.replicas {least}"

    def rights(self, topics: tuple[str, ...]) -> str:
        """Return which roles the user has rights enough for; raises ForbiddenError where for none."""
        described = (self._admin.find_topic(topic, with_rights=True) for topic in topics)
        allowed = [frozenset(right.name for right in found.authorized_operations or ()) for found in described if found]
        return enough_on_kafka(allowed) if allowed else "told once the topics are there"

    def end(self, mongo: Mongo, schema: MongoLogSchema[E]) -> str:
        """Compare the end of a topic with the log in MongoDB; raises ConflictError where the topic has more."""
        position = check_end(mongo, self._address, schema)
        if position is None:
            return "nothing is copied yet"
        return f"copied to position {position} of {MongoLogReader(mongo, schema).end()[0]}"

    def _ids(self) -> list[int]:
        with kafka_errors("list its brokers", "DESCRIBE on the cluster", self._admin):
            return [
                node.id for node in self._admin.describe_cluster(request_timeout=kafka.REQUEST_SECONDS).result().nodes
            ]


def version_of(settings: Mapping[str, Any]) -> str:
    """Tell a version by a broker's settings, as no client is told it; raises BadInputError for one before 4.0."""
    if older := settings.get(PROTOCOL_VERSION):
        raise BadInputError(f"The brokers are Kafka {older}, and 4.0 or later is needed: upgrade them.")
    return "Kafka 4 or later"
