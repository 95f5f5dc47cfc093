"""Kafka's clients as this mode uses them: what all are configured with, and their errors in the one error tree."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException

from adapters.distributed.topics.address import parsed
from domain.errors import AutoLearnError, BadInputError, ForbiddenError, NotAbleError

PATIENCE_SECONDS: Final = 5.0  # of one question to the brokers
FENCING: Final = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}  # noqa: SLF001 - the documented name
SILENCE: Final = {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}  # noqa: SLF001 - as above
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


class DamagedTopic(AutoLearnError):  # noqa: N818 - it names the topic's state, for whoever runs it
    """The topic does not hold the log: somebody else wrote to it, removed from it, or it belongs elsewhere."""


def settings(bootstrap: str, **more: Any) -> dict[str, Any]:
    """Return what every client gets; names with `_` for `.`. Raises BadInputError for an address that is none."""
    common = {
        **parsed(bootstrap),
        "client.id": "autolearn",
        "log_level": 0,  # every refused connection would be a line; what matters is raised
        "logger": LIBRARY,
        "allow.auto.create.topics": False,  # made by chance, they would have the broker's retention
        "socket.connection.setup.timeout.ms": 5000,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
    }
    return common | {name.replace("_", "."): value for name, value in more.items()}


def consumer(bootstrap: str, *, isolation_level: str = "read_committed", **more: Any) -> Consumer:
    """Return a consumer, of committed records unless told otherwise, that belongs to no group and keeps no offsets."""
    group = f"autolearn-{uuid4().hex}"  # librdkafka wants one; nothing ever joins it
    with kafka_errors("begin to read", "READ"):
        return Consumer(
            settings(
                bootstrap,
                group_id=group,
                isolation_level=isolation_level,
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                enable_partition_eof=True,
                auto_offset_reset="error",
                fetch_error_backoff_ms=50,
                fetch_queue_backoff_ms=5,  # by default a full queue makes the next record wait for a second
                **more,
            )
        )


def code_of(error: KafkaException) -> int:
    """Return Kafka's error code."""
    return int(error.args[0].code())


@contextmanager
def kafka_errors(doing: str, right: str) -> Iterator[None]:
    """Turn Kafka's errors into ours: Fenced, ForbiddenError that names the missing right, else NotAbleError."""
    try:
        yield
    except KafkaException as error:
        raise as_ours(error.args[0], doing, right) from error
    except SystemError as error:  # a fatal error was set when the library called back on the way out
        if not isinstance(error.__cause__, KafkaException):
            raise
        raise as_ours(error.__cause__.args[0], doing, right) from error


def as_ours(error: KafkaError, doing: str, right: str) -> Exception:
    """Return our error for one of Kafka's that came up while doing something (an infinitive) that needs a right."""
    if error.code() in FENCING:
        return Fenced(error.str())
    if error.code() == KafkaError._INVALID_ARG:  # noqa: SLF001 - as above
        return BadInputError(f"AUTOLEARN_KAFKA does not fit: {error.str()}.")
    if error.code() in DENIALS:
        return ForbiddenError(f"Kafka (AUTOLEARN_KAFKA) does not let AutoLearn {doing}: it needs the right {right}.")
    if error.code() in SILENCE:
        return NotAbleError(f"No broker of Kafka (AUTOLEARN_KAFKA) answers in time to {doing}: {error.str()}.")
    return NotAbleError(f"Kafka (AUTOLEARN_KAFKA) cannot {doing} now: {error.name()}: {error.str()}.")
