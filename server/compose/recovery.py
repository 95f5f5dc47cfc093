"""Recovery put together: it works on the settings' MongoDB and Kafka directly, with no process of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from adapters.distributed.installation import refuse_unfinished_recovery
from adapters.distributed.membership.membership import refuse_living_processes
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.recovery.last_entry import last_position
from adapters.distributed.recovery.recovery import Recovery, Until
from adapters.distributed.topics.topics import has_topic, topics_of
from adapters.security.keys import fingerprint, read_master_key
from domain.errors import NotAbleError
from domain.values import check_text
from server.compose.distributed import find_loss, open_database, open_read_models, open_runner
from server.compose.loss_check import LossCheck
from server.roles import NONE
from server.settings import Settings


def recovery(settings: Settings, events: int | None, audit_log: int | None) -> Iterator[dict[str, Any]]:
    """Yield `{step, position, of}` and, last, what was recovered; raises as `Recovery.run`.

    `events`, `audit_log`: the last positions to bring back, where not all. The audit log has the master key's
    fingerprint; for older audit logs, which lack it, the configured key is assumed right.
    `lost` of the last step says what the audit log has of a log that goes on.
    """
    key = fingerprint(read_master_key(settings.key_file)) if settings.key_file.exists() else None
    with ExitStack() as opened:
        mongo = open_database(settings, opened, seconds=None, make=False)
        for step in Recovery(mongo, settings.kafka, Until(events, audit_log), key).run():
            is_last = "step" not in step
            file = None if key is None else str(settings.key_file)
            yield {**step, "master_key": file, "lost": list(find_loss(mongo).evidence)} if is_last else step


def accept_lost_ends(settings: Settings, reason: str) -> dict[str, Any]:
    """Go on without the lost end of log or audit log, and say so in the log.

    Returns the facts of the event, and `to_delete`: the topics that go on there; None where Kafka does not answer.
    Raises BadInputError where nothing is lost, ConflictError while processes live.
    """
    check_text("reason", reason)
    with ExitStack() as opened:
        mongo = open_database(settings, opened, seconds=None, make=False)
        refuse_unfinished_recovery(mongo)
        refuse_living_processes(mongo)
        loss = find_loss(mongo)
        loss.require_loss("start the processes")
        runner = open_runner(settings, NONE, checked=True)
        opened.callback(runner.close)
        services = runner.require_services()
        body = loss.accept(reason, services.application, services.recorder)
        for work in (LOG_RELAY, AUDIT_LOG_RELAY, PROJECTION):  # the evidence would tell of it again
            Statuses(mongo).forget(work)
        read_models = open_read_models(mongo)
        if read_models.documents.position() > loss.log.end.position:
            read_models.begin_anew()
        return body | {"to_delete": longer_topics(settings.kafka, mongo.name, loss)}


def longer_topics(bootstrap: str, database: str, loss: LossCheck) -> list[str] | None:
    """Return the topics that go on where log or audit log end: no relay goes on with them. None: Kafka is away."""
    ends = zip(topics_of(database), (loss.log, loss.audit), strict=True)
    try:
        there = [(topic, check) for topic, check in ends if has_topic(bootstrap, topic)]
        return [topic for topic, check in there if last_position(bootstrap, topic) > check.end.position]
    except NotAbleError:
        return None
