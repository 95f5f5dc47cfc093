"""The two topics of an installation: made where missing, else held to what a log needs: one order, kept for ever."""

from __future__ import annotations

import time
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from adapters.distributed.topics import kafka
from adapters.distributed.topics.kafka import DamagedTopic, KafkaAdmin, NoTopicError, kafka_errors
from domain.errors import BadInputError, ForbiddenError, NotAbleError

LARGEST_BATCH: Final = 1_048_588  # bytes: Kafka's default; four events of the largest size
FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
BROKERS_CHOICE: Final = -1  # as many replicas as the cluster makes by default
LOOK_SECONDS: Final = 0.02


def topics_of(database: str) -> tuple[str, str]:
    """Return the names of an installation's topics: of events, of the audit log."""
    return f"{database}.events", f"{database}.communications"


def ensure_topics(address: str, database: str) -> None:
    """Make the topics of an installation, or check those that are there and correct how long they keep records.

    Raises NotAbleError (no broker answers), ForbiddenError (names the right), BadInputError (the name), DamagedTopic.
    """
    for topic in topics_of(database):
        ensure_topic(address, topic)


def ensure_topic(address: str, topic: str) -> str:
    """Do the same for one topic, and return its id: a topic that was deleted and made anew has another one."""
    admin = _admin(address)
    found = _find(admin, topic) or _create(admin, topic)
    if len(found.partitions) != 1:
        raise DamagedTopic(
            f"The topic {topic} has {len(found.partitions)} partitions; a log is in order only on one. "
            "Delete the topic, or choose another AUTOLEARN_DATABASE."
        )
    _correct_settings(admin, topic)
    return str(found.topic_id)


def has_topic(address: str, topic: str) -> bool:
    """Look for a topic; raises NotAbleError, ForbiddenError."""
    return _find(_admin(address), topic) is not None


def topic_faults(address: str, topic: str) -> list[str]:
    """Return why a topic does not keep a log; what nobody lets us see is not a fault. Raises NotAbleError."""
    admin = _admin(address)
    try:
        found = _find(admin, topic)
        if found is None:
            return []
        partitions = [f"it has {len(found.partitions)} partitions, not 1"] if len(found.partitions) != 1 else []
        has = _read_settings(admin, topic)
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


def _find(admin: KafkaAdmin, topic: str) -> TopicDescription | None:
    try:
        with kafka_errors(f"look at the topic {topic}", f"DESCRIBE on the topic {topic}", admin):
            asked = admin.describe_topics(TopicCollection([topic]), request_timeout=kafka.REQUEST_SECONDS)
            found: TopicDescription = _result(asked[topic], topic)
            return found
    except NoTopicError:
        return None


def _result(future: Any, topic: str) -> Any:
    try:
        return future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_EXCEPTION:
            raise BadInputError(
                f"Kafka refuses the topic name {topic!r}: AUTOLEARN_DATABASE must be letters, digits, '.', '_' and '-'."
            ) from error
        raise


def _create(admin: KafkaAdmin, topic: str) -> TopicDescription:
    """Return the topic once a broker leads it."""
    config = FOR_EVER | {"max.message.bytes": str(LARGEST_BATCH)}
    wanted = NewTopic(topic, num_partitions=1, replication_factor=BROKERS_CHOICE, config=config)
    with kafka_errors(f"create the topic {topic}", f"CREATE on the topic {topic}, or CREATE on the cluster", admin):
        try:
            _result(admin.create_topics([wanted], request_timeout=kafka.REQUEST_SECONDS)[topic], topic)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was first
                raise
    deadline = time.monotonic() + kafka.REQUEST_SECONDS
    while time.monotonic() < deadline:
        found = _find(admin, topic)
        if found is not None and all(partition.leader is not None for partition in found.partitions):
            return found
        time.sleep(LOOK_SECONDS)
    raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) has created the topic {topic}, but no broker leads it yet.")


def _correct_settings(admin: KafkaAdmin, topic: str) -> None:
    """Set what differs: records that were kept for a time until now are kept for ever from here on."""
    now = _read_settings(admin, topic)
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


def _read_settings(admin: KafkaAdmin, topic: str) -> dict[str, Any]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    with kafka_errors(f"read the settings of the topic {topic}", f"DESCRIBE_CONFIGS on the topic {topic}", admin):
        described = admin.describe_configs([resource], request_timeout=kafka.REQUEST_SECONDS)
        return {name: entry.value for name, entry in described[resource].result().items()}
