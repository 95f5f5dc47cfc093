"""Kafka's clients as this mode uses them: their address and settings, and their errors in the one error tree."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AdminClient,
    ConfigResource,
    ResourceType,
    TopicDescription,
)

from adapters.distributed.topics.reasons import Reasons
from domain.errors import AutoLearnError, BadInputError, ConflictError, ForbiddenError, NotAbleError

REQUEST_SECONDS: Final = 5.0  # for the brokers' answer to one request
ALLOWED: Final = ("security.", "sasl.", "ssl.")  # of librdkafka's properties: exactly-once depends on the others
FILE: Final = "file"
FENCING: Final = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}  # noqa: SLF001 - the documented name
SILENCE: Final = {
    KafkaError._TIMED_OUT,  # noqa: SLF001 - the documented name
    KafkaError._TRANSPORT,  # noqa: SLF001 - idem
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - idem
    KafkaError._RESOLVE,  # noqa: SLF001 - idem
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - idem
    KafkaError._SSL,  # noqa: SLF001 - idem
}
NO_TOPIC: Final = {KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}  # noqa: SLF001 - the documented name
DENIALS: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}

LIBRARY: Final = logging.getLogger(f"{__name__}.library")  # hears what librdkafka would write to stderr
LIBRARY.propagate = False
LIBRARY.addHandler(logging.NullHandler())


class Fenced(Exception):  # noqa: N818 - control flow: a newer relay has taken over, go back to standby
    """Another process has begun to write under the same transactional id."""


class DamagedTopic(ConflictError):  # noqa: N818 - it names the topic's state, for whoever runs it
    """The topic does not hold the log: somebody else wrote to it, removed from it, or it belongs elsewhere.

    Facts, where a recovery found it: `position`, `recovered`, and `cause`, which is `retention` or `damage`.
    """

    slug = "damaged-topic"


class NoTopicError(NotAbleError):
    """There is no such topic (yet)."""


class Client(Protocol):
    """One of the three below. Only here are clients of Kafka made."""

    reasons: Reasons

    def hear_reasons(self) -> None:
        """Let `reasons` have what librdkafka found out meanwhile: its calls that wait do not."""
        ...


class KafkaAdmin(AdminClient):
    """A client that makes topics and looks at them."""

    def __init__(self, address: str) -> None:
        chosen = settings(address)
        self.reasons = _reasons_of(chosen)
        super().__init__(chosen)

    def hear_reasons(self) -> None:
        self.poll(0)

    def find_topic(self, topic: str, *, with_rights: bool = False) -> TopicDescription | None:
        """Return a topic as its brokers have it, and what this user may do with it; None where there is none."""
        try:
            with kafka_errors(f"look at the topic {topic}", f"DESCRIBE on the topic {topic}", self):
                asked = self.describe_topics(
                    TopicCollection([topic]),
                    include_authorized_operations=with_rights,
                    request_timeout=REQUEST_SECONDS,
                )
                found: TopicDescription = topic_result(asked[topic], topic)
                return found
        except NoTopicError:
            return None

    def read_settings(self, kind: ResourceType, name: str) -> dict[str, Any]:
        """Return the settings of a topic or of a broker."""
        what = f"the topic {name}" if kind is ResourceType.TOPIC else "the cluster"
        with kafka_errors(f"read the settings of {what}", f"DESCRIBE_CONFIGS on {what}", self):
            resource = ConfigResource(kind, name)
            described = self.describe_configs([resource], request_timeout=REQUEST_SECONDS)
            return {key: entry.value for key, entry in described[resource].result().items()}


class KafkaConsumer(Consumer):
    """A client that reads; `more` are properties with `_` for `.`."""

    def __init__(self, address: str, **more: Any) -> None:
        chosen = settings(address, **more)
        self.reasons = _reasons_of(chosen)
        super().__init__(chosen)

    def hear_reasons(self) -> None:
        if not self.assignment():  # else it may be a record that comes, and whoever reads has heard them
            self.poll(0)


class KafkaProducer(Producer):
    """A client that writes; `more` likewise."""

    def __init__(self, address: str, **more: Any) -> None:
        chosen = settings(address, **more)
        self.reasons = _reasons_of(chosen)
        super().__init__(chosen)

    def hear_reasons(self) -> None:
        self.poll(0)


def _reasons_of(chosen: dict[str, Any]) -> Reasons:
    """Return what hears the errors of a client with these properties, into which it is put."""
    reasons = Reasons(chosen.get("security.protocol", "PLAINTEXT"))
    chosen["error_cb"] = reasons.note
    return reasons


def settings(address: str, **more: Any) -> dict[str, Any]:
    """Return the properties of a client at AUTOLEARN_KAFKA; names in `more` have `_` for `.`. Raises BadInputError."""
    common = {
        **parse_address(address),
        "client.id": "autolearn",
        "log_level": 0,  # every refused connection would be a line; what matters is raised
        "logger": LIBRARY,
        "allow.auto.create.topics": False,  # made by chance, they would have the broker's retention
        "socket.connection.setup.timeout.ms": 5000,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
    }
    return common | {name.replace("_", "."): value for name, value in more.items()}


def parse_address(address: str) -> dict[str, str]:
    """Parse bootstrap servers and properties: `kafka-1:9093,kafka-2:9093?ssl.ca.location=…&file=PATH`.

    `file` takes further properties from the lines of a file, which keeps passwords out of the environment.
    Raises BadInputError, which quotes no value.
    """
    servers, _, query = address.strip().partition("?")
    if not servers.strip():
        raise BadInputError("AUTOLEARN_KAFKA names no bootstrap server; give HOST:PORT[,HOST:PORT]…")
    if "://" in servers:
        raise BadInputError("AUTOLEARN_KAFKA is not a list of servers: it looks like HOST:PORT[,HOST:PORT]…")
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise BadInputError("AUTOLEARN_KAFKA: what follows the `?` looks like NAME=VALUE&NAME=VALUE.") from None
    if FILE in given:
        given |= _read_properties(given.pop(FILE))
    for name in given:
        if not name.startswith(ALLOWED):
            raise BadInputError(
                f"AUTOLEARN_KAFKA sets {name!r}: only {', '.join(ALLOWED)}… and {FILE}=PATH may follow the `?`."
            )
    return {"bootstrap.servers": servers.strip(), **given}


def _read_properties(path: str) -> dict[str, str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as unreadable:
        raise BadInputError(f"AUTOLEARN_KAFKA: {path} cannot be read: {unreadable}.") from unreadable
    pairs = [line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def topic_result(future: Any, topic: str) -> Any:
    """Return what a request about a topic was answered; raises BadInputError for a name that Kafka refuses."""
    try:
        return future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_EXCEPTION:
            raise BadInputError(
                f"Kafka refuses the topic name {topic!r}: AUTOLEARN_DATABASE must be letters, digits, '.', '_' and '-'."
            ) from error
        raise


@contextmanager
def kafka_errors(doing: str, right: str, client: Client | None = None) -> Iterator[None]:
    """Raise Kafka's errors as `translate` does; `doing` is an infinitive, `right` what an ACL must allow for it."""
    try:
        yield
    except KafkaException as error:
        raise translate(error.args[0], doing, right, client) from error
    except SystemError as error:  # a fatal error was set when the library called back on the way out
        if not isinstance(error.__cause__, KafkaException):
            raise
        raise translate(error.__cause__.args[0], doing, right, client) from error


def translate(error: KafkaError, doing: str, right: str, client: Client | None = None) -> Exception:
    """Return Fenced, BadInputError, ForbiddenError (a wrong password; it names a missing right), else NotAbleError.

    `client`: the one that tells why its brokers are silent.
    """
    if error.code() in FENCING:
        return Fenced(error.str())
    if error.code() == KafkaError._INVALID_ARG:  # noqa: SLF001 - the documented name
        return BadInputError(f"AUTOLEARN_KAFKA does not fit: {error.str()}.")
    if error.code() in DENIALS:
        return ForbiddenError(f"Kafka (AUTOLEARN_KAFKA) does not let AutoLearn {doing}: it needs the right {right}.")
    if error.code() in SILENCE or _has_no_broker(error, client):
        return _silence(error, doing, client)
    kind = NoTopicError if error.code() in NO_TOPIC else NotAbleError
    return kind(f"Kafka (AUTOLEARN_KAFKA) cannot {doing} now: {error.name()}: {error.str()}.")


def _has_no_broker(error: KafkaError, client: Client | None) -> bool:
    """Tell whether a client knows no partition because it has lost all brokers, not because there is no topic."""
    if client is None or error.code() != KafkaError._UNKNOWN_PARTITION:  # noqa: SLF001 - the documented name
        return False
    client.hear_reasons()
    return client.reasons.has_no_broker


def _silence(error: KafkaError, doing: str, client: Client | None) -> AutoLearnError:
    if client is not None:
        client.hear_reasons()
        if (reason := client.reasons.explain(doing)) is not None:
            return reason
    return NotAbleError(f"No broker of Kafka (AUTOLEARN_KAFKA) answers in time to {doing}: {error.str()}.")
