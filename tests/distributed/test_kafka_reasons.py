"""What is wrong with the way to Kafka is told in one sentence that says what would be right, by every client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.distributed.topics.consumer import TopicConsumer
from adapters.distributed.topics.kafka import KafkaProducer, NoTopicError, kafka_errors
from adapters.distributed.topics.topics import ensure_topic, has_topic
from cli import exit_codes
from domain.errors import AutoLearnError, ForbiddenError, NotAbleError
from tests.servers.certificates import Authority
from tests.servers.fixtures import own
from tests.servers.process import Server
from tests.servers.secured import SecuredKafka, write_user

pytestmark = pytest.mark.slow

SECONDS = 60.0
TOPIC = "a.events"
NOT_YET = "No broker of Kafka"  # a busy machine had no time to be refused
ENDS = {ForbiddenError: exit_codes.NOT_ALLOWED, NotAbleError: exit_codes.NOT_ABLE}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with own(SecuredKafka, tmp_path_factory.mktemp("secured") / "kafka") as server:
        assert isinstance(server, SecuredKafka)
        server.add_user("ana")
        yield server


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 1.5)


def of_ana(secured: SecuredKafka) -> str:
    return secured.address(secured.folder / "ana.properties")


def refusal(ask: Callable[[], Any]) -> AutoLearnError:
    """Ask until the reason is known, and return it."""
    end = time.monotonic() + SECONDS
    while True:
        with pytest.raises(AutoLearnError) as refused:
            ask()
        if NOT_YET not in refused.value.sentence or time.monotonic() > end:
            return refused.value


def wrong_password(secured: SecuredKafka) -> str:
    return secured.address(write_user(secured.folder / "wrong.properties", "ana", "guessed"))


def unknown_user(secured: SecuredKafka) -> str:
    return secured.address(write_user(secured.folder / "unknown.properties", "eve"))


def unknown_authority(secured: SecuredKafka) -> str:
    other = Authority(secured.folder / "others", "others").certificate
    return of_ana(secured).replace(str(secured.authority.certificate), str(other))


def host_of_no_certificate(secured: SecuredKafka) -> str:
    return of_ana(secured).replace("127.0.0.1", "localhost")


def another_mechanism(secured: SecuredKafka) -> str:
    return of_ana(secured).replace("SCRAM-SHA-512", "SCRAM-SHA-256")


def plain_at_tls(secured: SecuredKafka) -> str:
    return f"127.0.0.1:{secured.ssl}"


def tls_at_plain(secured: SecuredKafka) -> str:
    return f"127.0.0.1:{secured.port}?security.protocol=SSL&ssl.ca.location={secured.authority.certificate}"


def password_with_tls_at_plain(secured: SecuredKafka) -> str:
    return of_ana(secured).replace(str(secured.sasl_ssl), str(secured.port))


def password_at_plain(secured: SecuredKafka) -> str:
    return password_with_tls_at_plain(secured).replace("SASL_SSL", "SASL_PLAINTEXT")


def no_password(secured: SecuredKafka) -> str:
    ca = secured.authority.certificate
    return f"127.0.0.1:{secured.sasl_ssl}?security.protocol=SSL&ssl.ca.location={ca}"


def unknown_host(_: SecuredKafka) -> str:
    return "no-such-host.invalid:9092"


@pytest.mark.parametrize(
    ("address", "kind", "told"),
    [
        (wrong_password, ForbiddenError, "does not accept this user or this password: check sasl.username and sasl."),
        (unknown_user, ForbiddenError, "does not accept this user or this password"),
        (another_mechanism, ForbiddenError, "the SASL mechanism SCRAM-SHA-256: set sasl.mechanism to SCRAM-SHA-512."),
        (password_at_plain, ForbiddenError, "takes no password at this listener: leave out SASL"),
        (unknown_authority, NotAbleError, "The certificate of Kafka (AUTOLEARN_KAFKA) is not trusted: ssl.ca.location"),
        (host_of_no_certificate, NotAbleError, "and AUTOLEARN_KAFKA the host that it was made for"),
        (plain_at_tls, NotAbleError, "wants another security.protocol than PLAINTEXT"),
        (no_password, NotAbleError, "wants another security.protocol than SSL"),
        (tls_at_plain, NotAbleError, "does not speak TLS at this listener: set security.protocol to PLAINTEXT"),
        (password_with_tls_at_plain, NotAbleError, "set security.protocol to SASL_PLAINTEXT"),
        (unknown_host, NotAbleError, "is at 'no-such-host.invalid:9092', a name that is not known here"),
    ],
)
def test_each_reason_has_its_sentence(
    secured: SecuredKafka, address: Callable[[SecuredKafka], str], kind: type[AutoLearnError], told: str
) -> None:
    refused = refusal(lambda: has_topic(address(secured), TOPIC))
    assert told in refused.sentence
    assert (type(refused), exit_codes.of_error(refused)) == (kind, ENDS[kind])
    assert "guessed" not in refused.sentence
    assert refused.sentence.endswith(".")
    assert "\n" not in refused.sentence


def test_who_reads_is_told_the_reason(secured: SecuredKafka) -> None:
    def read() -> None:
        with TopicConsumer(wrong_password(secured), TOPIC) as consumer:
            consumer.bounds()

    assert "does not accept this user or this password" in refusal(read).sentence


def test_who_writes_is_told_the_reason(secured: SecuredKafka) -> None:
    def write() -> None:
        producer = KafkaProducer(wrong_password(secured), transactional_id="t")
        with kafka_errors("write", "WRITE", producer):
            producer.init_transactions(1.5)

    assert "does not accept this user or this password" in refusal(write).sentence


def test_a_server_that_is_not_there_is_told_with_what_the_system_says() -> None:
    with pytest.raises(NotAbleError, match=r"No broker .*look at the topic a\.events: Connect to .*refused\.$"):
        has_topic("127.0.0.1:1", TOPIC)


def test_a_topic_whose_brokers_are_lost_is_not_taken_for_none(own_kafka: Server) -> None:
    """Librdkafka forgets the partition with its brokers; a recovery would take the topic for empty."""
    ensure_topic(own_kafka.url, TOPIC)
    with TopicConsumer(own_kafka.url, TOPIC) as consumer:
        assert consumer.bounds() == (0, 0)
        own_kafka.kill()
        end = time.monotonic() + SECONDS
        while not consumer._consumer.reasons.has_no_broker and time.monotonic() < end:
            with pytest.raises(NotAbleError):
                consumer.bounds()
        with pytest.raises(NotAbleError) as refused:
            consumer.bounds()
        assert not isinstance(refused.value, NoTopicError)
    with TopicConsumer(own_kafka.url, "none.events") as consumer:
        own_kafka.start()
        assert isinstance(refusal(consumer.bounds), NoTopicError)


def test_a_user_who_may_nothing_is_told_the_right(secured: SecuredKafka) -> None:
    file: Path = secured.folder / "ana.properties"
    with pytest.raises(ForbiddenError, match=r"right DESCRIBE on the topic a\.events"):
        has_topic(secured.address(file), TOPIC)
