"""The two topics of an installation: made where missing, else held to what a log needs: one order, kept for ever."""

from __future__ import annotations

import time
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from adapters.distributed.topics.kafka import PATIENCE_SECONDS, DamagedTopic, code_of, kafka_errors, settings
from domain.errors import BadInputError, ForbiddenError, NotAbleError

LARGEST_BATCH: Final = 1_048_588  # bytes: Kafka's default; four events of the largest size
FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
BROKERS_CHOICE: Final = -1  # as many replicas as the cluster makes by default
TURN_SECONDS: Final = 0.02


def topics_of(database: str) -> tuple[str, str]:
    """Return the names of an installation's topics: of events, of communications."""
    return f"{database}.events", f"{database}.communications"


def ensure_topics(bootstrap: str, database: str) -> None:
    """Make the topics of an installation, or check those that are there and correct how long they keep records.

    Raises NotAbleError (no broker answers), ForbiddenError (names the right), BadInputError (the name), DamagedTopic.
    """
    admin = _admin(bootstrap)
    for topic in topics_of(database):
        _ensure(admin, topic)


def ensure_topic(bootstrap: str, topic: str) -> str:
    """Do the same for one topic, and return its id: a topic that was deleted and made anew has another one."""
    return _ensure(_admin(bootstrap), topic)


def is_there(bootstrap: str, topic: str) -> bool:
    """Tell whether there is such a topic; raises NotAbleError, ForbiddenError."""
    return _find(_admin(bootstrap), topic) is not None


def topic_faults(bootstrap: str, topic: str) -> list[str]:
    """Return why a topic does not keep a log; what nobody lets us see is no fault. Raises NotAbleError."""
    admin = _admin(bootstrap)
    try:
        found = _find(admin, topic)
        if found is None:
            return []
        partitions = [f"it has {len(found.partitions)} partitions, not 1"] if len(found.partitions) != 1 else []
        kept = _settings(admin, topic)
    except ForbiddenError:
        return []
    return partitions + [
        f"it has {name}={kept.get(name)}, not {value}: records will be lost"
        for name, value in FOR_EVER.items()
        if kept.get(name) != value
    ]


def _ensure(admin: AdminClient, topic: str) -> str:
    if _find(admin, topic) is None:
        _create(admin, topic)
        _await_leader(admin, topic)
    found = _find(admin, topic)
    _check_partitions(topic, found)
    _correct(admin, topic)
    return str(found.topic_id) if found else ""


def _admin(bootstrap: str) -> AdminClient:
    with kafka_errors("begin", "DESCRIBE"):
        return AdminClient(settings(bootstrap))


def _find(admin: AdminClient, topic: str) -> TopicDescription | None:
    with kafka_errors(f"look at the topic {topic}", f"DESCRIBE on the topic {topic}"):
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=PATIENCE_SECONDS)
        try:
            found: TopicDescription = asked[topic].result()
        except KafkaException as error:
            if code_of(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            _refuse_name(error, topic)
            raise
    return found


def _refuse_name(error: KafkaException, topic: str) -> None:
    if code_of(error) == KafkaError.TOPIC_EXCEPTION:
        raise BadInputError(
            f"Kafka refuses the topic name {topic!r}: AUTOLEARN_DATABASE must be letters, digits, '.', '_' and '-'."
        ) from error


def _create(admin: AdminClient, topic: str) -> None:
    kept = FOR_EVER | {"max.message.bytes": str(LARGEST_BATCH)}
    wanted = NewTopic(topic, num_partitions=1, replication_factor=BROKERS_CHOICE, config=kept)
    with kafka_errors(f"create the topic {topic}", f"CREATE on the topic {topic}, or CREATE on the cluster"):
        try:
            admin.create_topics([wanted], request_timeout=PATIENCE_SECONDS)[topic].result()
        except KafkaException as error:
            if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was first
                _refuse_name(error, topic)
                raise


def _await_leader(admin: AdminClient, topic: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = _find(admin, topic)
        if found is not None and all(partition.leader is not None for partition in found.partitions):
            return
        time.sleep(TURN_SECONDS)
    raise NotAbleError(f"Kafka (AUTOLEARN_KAFKA) has created the topic {topic}, but no broker leads it yet.")


def _check_partitions(topic: str, found: TopicDescription | None) -> None:
    count = len(found.partitions) if found else 0
    if count != 1:
        raise DamagedTopic(
            f"The topic {topic} has {count} partitions; a log is in order only on one. "
            "Delete the topic, or choose another AUTOLEARN_DATABASE."
        )


def _correct(admin: AdminClient, topic: str) -> None:
    """Set what differs: records that were kept for a time until now are kept for ever from here on."""
    now = _settings(admin, topic)
    wrong = {name: value for name, value in FOR_EVER.items() if now.get(name) != value}
    if int(now["max.message.bytes"]) < LARGEST_BATCH:
        wrong["max.message.bytes"] = str(LARGEST_BATCH)
    if not wrong:
        return
    by_hand = ", ".join(f"{name}={value}" for name, value in wrong.items())
    changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wrong.items()]
    changed = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    with kafka_errors(f"set {by_hand} on the topic {topic}", f"ALTER_CONFIGS on the topic {topic}"):
        admin.incremental_alter_configs([changed], request_timeout=PATIENCE_SECONDS)[changed].result()


def _settings(admin: AdminClient, topic: str) -> dict[str, Any]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    with kafka_errors(f"read the settings of the topic {topic}", f"DESCRIBE_CONFIGS on the topic {topic}"):
        described = admin.describe_configs([resource], request_timeout=PATIENCE_SECONDS)
        return {name: entry.value for name, entry in described[resource].result().items()}
