"""The topics of an installation: made once, kept for ever, corrected or refused with a sentence that helps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.topics.topics import ensure_topics, topics_of
from domain.errors import BadInputError, ForbiddenError, NotAbleError
from tests.distributed.relayed import Relayed
from tests.servers.fixtures import own
from tests.servers.kafka import KafkaServer

SECONDS = 30.0
SETTINGS = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": "1048588"}


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka, "log_level": 0})


def topic_settings(admin: AdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    found = admin.describe_configs([resource])[resource].result(SECONDS)
    return {name: found[name].value for name in SETTINGS}


def create(admin: AdminClient, topic: str, partitions: int = 1, **config: str) -> None:
    wanted = NewTopic(topic, partitions, 1, config={name.replace("_", "."): value for name, value in config.items()})
    admin.create_topics([wanted])[topic].result(SECONDS)


def test_both_topics_have_one_partition_and_keep_everything(kafka: str, installation: str, admin: AdminClient) -> None:
    ensure_topics(kafka, installation)
    ensure_topics(kafka, installation)
    for topic in topics_of(installation):
        assert len(admin.list_topics(topic, SECONDS).topics[topic].partitions) == 1
        assert topic_settings(admin, topic) == SETTINGS


def test_processes_that_start_together_agree(kafka: str, installation: str, admin: AdminClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure_topics(kafka, installation), range(4)))
    assert {name for name in admin.list_topics(timeout=SECONDS).topics if name.startswith(installation)} == set(
        topics_of(installation)
    )


def test_a_topic_that_would_forget_is_corrected(kafka: str, installation: str, admin: AdminClient) -> None:
    events, audit_log = topics_of(installation)
    create(admin, events, retention_ms="1000", cleanup_policy="compact,delete", max_message_bytes="1000")
    create(admin, audit_log, retention_bytes="1000000")
    ensure_topics(kafka, installation)
    assert topic_settings(admin, events) == topic_settings(admin, audit_log) == SETTINGS


def test_several_partitions_have_no_order(kafka: str, installation: str, admin: AdminClient) -> None:
    create(admin, topics_of(installation)[0], partitions=2)
    with pytest.raises(DamagedTopic, match=f"{installation}.events has 2 partitions"):
        ensure_topics(kafka, installation)


def test_a_name_that_kafka_refuses_is_bad_input(kafka: str) -> None:
    with pytest.raises(BadInputError, match="AUTOLEARN_DATABASE must be"):
        ensure_topics(kafka, "my database")


def test_no_bootstrap_server_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="AUTOLEARN_KAFKA"):
        ensure_topics(" ", "autolearn")


def test_brokers_that_do_not_answer_are_not_able_now_and_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.3)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        ensure_topics("127.0.0.1:1", "autolearn")
    assert capfd.readouterr() == ("", "")


class GuardedKafka(KafkaServer):
    """A Kafka that knows access rules; what no rule speaks of is allowed."""

    def __init__(self, folder: Path) -> None:
        rules = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        super().__init__(folder, {"authorizer.class.name": rules, "allow.everyone.if.no.acl.found": "true"})


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    with own(GuardedKafka, tmp_path / "kafka") as server:
        yield server.url


def deny(kafka: str, kind: ResourceType, name: str, operation: AclOperation) -> None:
    """Forbid one operation on a thing and allow all others, which are forbidden once a rule speaks of the thing."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    for what, permission in ((AclOperation.ALL, AclPermissionType.ALLOW), (operation, AclPermissionType.DENY)):
        rule = AclBinding(kind, name, ResourcePatternType.LITERAL, "User:*", "*", what, permission)
        admin.create_acls([rule])[rule].result(SECONDS)


@pytest.mark.slow
def test_a_missing_right_is_named(guarded: str) -> None:
    deny(guarded, ResourceType.TOPIC, "a.events", AclOperation.DESCRIBE)
    with pytest.raises(ForbiddenError, match=r"right DESCRIBE on the topic a\.events"):
        ensure_topics(guarded, "a")
    deny(guarded, ResourceType.TOPIC, "b.events", AclOperation.CREATE)
    deny(guarded, ResourceType.BROKER, "kafka-cluster", AclOperation.CREATE)
    with pytest.raises(ForbiddenError, match=r"right CREATE on the topic b\.events, or CREATE on the cluster"):
        ensure_topics(guarded, "b")
    writes_without_right(guarded)


def writes_without_right(kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    for topic in topics_of("c"):
        create(admin, topic, retention_ms="-1")
    deny(kafka, ResourceType.TOPIC, "c.events", AclOperation.WRITE)
    relayed = Relayed(kafka, "c")
    relayed.grow(1)
    with relayed.relay() as relay, pytest.raises(ForbiddenError, match=r"right WRITE on the topic c\.events"):
        relay.step()
    deny(kafka, ResourceType.TRANSACTIONAL_ID, "t", AclOperation.WRITE)
    with pytest.raises(ForbiddenError, match="transactional id t"):
        Relay(kafka, relayed.topic, "t", relayed.source)
    relayed.stored.close()
