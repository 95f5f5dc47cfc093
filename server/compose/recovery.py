"""Recovery put together: it works on the settings' MongoDB and Kafka directly, with no process of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from adapters.distributed.recovery.run import Recovery, Until
from adapters.security.keys import fingerprint, read_master_key
from server.compose.distributed import open_database, open_service
from server.compose.distributed_tails import accept, evidence_of_loss, longer_topics, lost_ends
from server.settings import Settings


def recovery(settings: Settings, events: int | None, communications: int | None) -> Iterator[dict[str, Any]]:
    """Yield `{step, position, of}` and, last, what was recovered; raises as `Recovery.run`.

    `events`, `communications`: the last positions to bring back, where not all. The archive tells the master key's
    fingerprint; for one from before it did, the key of the settings, if it is there, is taken for the right one.
    `lost` of the last step says what the audit log has of a log that goes on.
    """
    key = fingerprint(read_master_key(settings.key_file)) if settings.key_file.exists() else None
    with ExitStack() as opened:
        mongo = open_database(settings, opened, seconds=None)
        for step in Recovery(mongo, settings.kafka, Until(events, communications), key).run():
            is_last = "step" not in step
            file = None if key is None else str(settings.key_file)
            yield {**step, "master_key": file, "lost": evidence_of_loss(mongo)} if is_last else step


def loss_accepted(settings: Settings, reason: str) -> dict[str, Any]:
    """Go on without the lost end of log or audit log, and say so in the log.

    Returns the facts of the event, and `to_delete`: the topics that go on there; None where Kafka does not answer.
    Raises BadInputError where nothing is lost, ConflictError while processes live.
    """
    with ExitStack() as opened:
        mongo = open_database(settings, opened, seconds=None)
        log, audit = lost_ends(mongo, reason)
        node = open_service(settings, "offline", "storage", checked=True)
        opened.callback(node.close)
        body = accept(mongo, log, audit, reason, node)
        return body | {"to_delete": longer_topics(settings.kafka, mongo, log, audit)}
