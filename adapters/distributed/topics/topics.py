"""The two topics of an installation: made where missing, else held to what a log needs: one order, kept for ever."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AlterConfigOpType,
    BrokerMetadata,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from adapters.distributed.topics import kafka
from adapters.distributed.topics.kafka import DamagedTopic, KafkaAdmin, kafka_errors, topic_result
from domain.errors import ForbiddenError, NotAbleError

logger = logging.getLogger(__name__)

LARGEST_BATCH: Final = 1_048_588  # bytes: Kafka's default; four events of the largest size
FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
USUAL_REPLICAS: Final = 3  # one may be down while another is lost
LOOK_SECONDS: Final = 0.05
UNNUMBERED: Final = -1  # a broker of the address that was given, before it has said its number
BROKER_SECONDS: Final = 2.0  # for the answer of one broker: who does not answer is not waited for


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as its brokers have it; `wanted`: how many replicas it should have."""

    name: str
    id: str
    replicas: int
    wanted: int

    @classmethod
    def described(cls, found: TopicDescription, wanted: int) -> Topic:
        return cls(found.name, str(found.topic_id), len(found.partitions[0].replicas), wanted)

    @property
    def remark(self) -> str | None:
        """Say that it has fewer replicas than it should; None where it has them."""
        if self.replicas >= self.wanted:
            return None
        has = f"{self.replicas} replica{'s' * (self.replicas != 1)}"
        return (
            f"The topic {self.name} has {has}, and {self.wanted} are wanted (AUTOLEARN_REPLICATION):"
            " reassign its partition with Kafka's tools."
        )


def topics_of(database: str) -> tuple[str, str]:
    """Return the names of an installation's topics: of events, of the audit log."""
    return f"{database}.events", f"{database}.communications"


def usual_replicas(brokers: int) -> int:
    """Return how many replicas a topic should have where AUTOLEARN_REPLICATION does not say it."""
    return min(USUAL_REPLICAS, brokers)


def ensure_topics(address: str, database: str, replication: int | None = None) -> None:
    """Make the topics of an installation, or check those that are there and correct how long they keep records.

    Returns once all brokers that answer know both: until then, one might deny that there is such a topic.
    Raises NotAbleError (no broker answers), ForbiddenError (names the right), BadInputError (the name), DamagedTopic.
    """
    for name in topics_of(database):
        topic = ensure_topic(address, name, replication, everywhere=True)
        if topic.remark:
            logger.warning("%s", topic.remark)


def ensure_topic(address: str, topic: str, replication: int | None = None, *, everywhere: bool = False) -> Topic:
    """Make one topic, or check it, as `ensure_topics` does. One that was deleted and made anew has another id.

    `everywhere`: all brokers are asked whether they know it, not only where it had to be made.
    """
    admin = _admin(address)
    wanted, found = replication or _usual_replicas(admin, topic), admin.find_topic(topic)
    if found is None:
        _create(admin, topic, wanted)
    if found is None or not _is_led(found):
        found, everywhere = _await_leader(admin, topic), True
    if len(found.partitions) != 1:
        raise DamagedTopic(
            f"The topic {topic} has {len(found.partitions)} partitions, and a log is in order only on one: AutoLearn"
            " did not make it. Choose another AUTOLEARN_DATABASE."
        )
    if everywhere:
        _await_brokers(address, topic)
    _correct_settings(admin, topic)
    return Topic.described(found, wanted)


def find_topic(address: str, topic: str, replication: int | None = None) -> Topic | None:
    """Return a topic as it is now; None where it is gone, or no broker leads it. Raises as `has_topic`."""
    admin = _admin(address)
    wanted, found = replication or _usual_replicas(admin, topic), admin.find_topic(topic)
    return Topic.described(found, wanted) if found is not None and _is_led(found) else None


def has_topic(address: str, topic: str) -> bool:
    """Look for a topic; raises NotAbleError, ForbiddenError."""
    return _admin(address).find_topic(topic) is not None


def topic_faults(address: str, topic: str) -> list[str]:
    """Return why a topic does not keep a log; what nobody lets us see is not a fault. Raises NotAbleError."""
    admin = _admin(address)
    try:
        found = admin.find_topic(topic)
        if found is None:
            return []
        partitions = [f"it has {len(found.partitions)} partitions, not 1"] if len(found.partitions) != 1 else []
        has = admin.read_settings(ResourceType.TOPIC, topic)
    except ForbiddenError:
        return []
    return partitions + [
        f"it has {name}={has.get(name)}, not {value}: records will be lost"
        for name, value in FOR_EVER.items()
        if has.get(name) != value
    ]


def _admin(address: str) -> KafkaAdmin:
    with kafka_errors("begin", "DESCRIBE"):
        return KafkaAdmin(address)


def _usual_replicas(admin: KafkaAdmin, topic: str) -> int:
    return usual_replicas(len(_metadata(admin, topic, kafka.REQUEST_SECONDS).brokers))


def _create(admin: KafkaAdmin, topic: str, replicas: int) -> None:
    """Ask for the topic; it is there when `_await_leader` returns."""
    in_sync = 2 if replicas >= USUAL_REPLICAS else 1  # who acknowledges a record: one of three may be down
    config = FOR_EVER | {"max.message.bytes": str(LARGEST_BATCH), "min.insync.replicas": str(in_sync)}
    wanted = NewTopic(topic, num_partitions=1, replication_factor=replicas, config=config)
    with kafka_errors(
        f"create the topic {topic} (AUTOLEARN_REPLICATION {replicas})",
        f"CREATE on the topic {topic}, or CREATE on the cluster",
        admin,
    ):
        try:
            topic_result(admin.create_topics([wanted], request_timeout=kafka.REQUEST_SECONDS)[topic], topic)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was first
                raise


def _await_leader(admin: KafkaAdmin, topic: str) -> TopicDescription:
    """Return the topic once it has partitions and brokers lead them: a new one has neither for a moment."""
    deadline = time.monotonic() + kafka.REQUEST_SECONDS
    while time.monotonic() < deadline:
        found = admin.find_topic(topic)
        if found is not None and _is_led(found):
            return found
        time.sleep(LOOK_SECONDS)
    raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) has the topic {topic}, but no broker leads it now.")


def _is_led(topic: TopicDescription) -> bool:
    return bool(topic.partitions) and all(partition.leader is not None for partition in topic.partitions)


def _await_brokers(address: str, topic: str) -> None:
    """Wait until no broker denies the topic; raises NotAbleError, which names those that still do."""
    deadline = time.monotonic() + kafka.REQUEST_SECONDS
    late = list(_metadata(_admin(address), topic, kafka.REQUEST_SECONDS).brokers.values())
    while late := [broker for broker in late if not _is_known_to(broker, address, topic)]:
        if time.monotonic() > deadline:
            names = ", ".join(f"{broker.host}:{broker.port}" for broker in late)
            raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) has the topic {topic}, but {names} does not know it yet.")
        time.sleep(LOOK_SECONDS)


def _is_known_to(broker: BrokerMetadata, address: str, topic: str) -> bool:
    """Ask one broker, by a client that knows no other yet; one that does not answer denies nothing.

    Such a client may hear of another one and ask that: then what it says is not this broker's, and does not count.
    """
    options = address.partition("?")[1:]
    host = f"[{broker.host}]" if ":" in str(broker.host) else broker.host
    try:
        said = _metadata(_admin("".join((f"{host}:{broker.port}", *options))), topic, BROKER_SECONDS)
    except NotAbleError as silent:
        logger.info("not asked whether it knows the topic %s: %s", topic, silent.sentence)
        return True
    partitions = said.topics[topic].partitions.values() if topic in said.topics else ()
    leads = [partition.leader for partition in partitions]
    return said.orig_broker_id in {UNNUMBERED, broker.id} and bool(leads) and min(leads) >= 0


def _metadata(admin: KafkaAdmin, topic: str, seconds: float) -> ClusterMetadata:
    with kafka_errors("list its brokers", f"DESCRIBE on the topic {topic}", admin):
        return admin.list_topics(topic, timeout=seconds)


def _correct_settings(admin: KafkaAdmin, topic: str) -> None:
    """Set what differs: records that were kept for a time until now are kept for ever from here on."""
    now = admin.read_settings(ResourceType.TOPIC, topic)
    wrong = {name: value for name, value in FOR_EVER.items() if now.get(name) != value}
    if int(now["max.message.bytes"]) < LARGEST_BATCH:
        wrong["max.message.bytes"] = str(LARGEST_BATCH)
    if not wrong:
        return
    by_hand = ", ".join(f"{name}={value}" for name, value in wrong.items())
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wrong.items()]
    changed = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    with kafka_errors(f"set {by_hand} on the topic {topic}", f"ALTER_CONFIGS on the topic {topic}", admin):
        admin.incremental_alter_configs([changed], request_timeout=kafka.REQUEST_SECONDS)[changed].result()
