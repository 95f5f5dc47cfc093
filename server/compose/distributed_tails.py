"""The ends of log and audit log in a MongoDB: checked before a process writes anything, and a loss accepted.

Other processes may append meanwhile. What tells of an end is read first, and the end afterwards: so it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.dependencies import COMMUNICATIONS, PROJECT, RELAY
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels, begin_anew
from adapters.distributed.recovery.mark import refuse_unfinished
from adapters.distributed.topics.last_entry import last_position
from adapters.distributed.topics.topics import has_topic, topics_of
from commands.storage.accept_loss import AcceptLoss
from commands.unit_of_work import load
from domain.errors import BadInputError, ConflictError, NotAbleError
from domain.loss import LOSSES, Losses
from domain.values import checked_text
from projections.verification.log_ends import (
    Claim,
    Tail,
    check_same,
    check_tails,
    claims_of_records,
    contradictions,
    end_of_audit,
    end_of_log,
    tail_of,
)
from server.startup import system_call

if TYPE_CHECKING:
    from server.service_node import ServiceNode

WAY_OUT: Final = "autolearn recover --accept-loss REASON"
RESTORE: Final = (
    "If Kafka has it, stop all processes, drop the database and call `autolearn recover --from-kafka`; "
    "else restore the back-up that has it."
)


def check_ends(mongo: Mongo) -> None:
    """Raise ConflictError where log or audit log have lost their end, or do not belong together."""
    log, audit = _same_tails(mongo)
    check_tails(log, audit, way_out=WAY_OUT, restore=RESTORE)


def evidence_of_loss(mongo: Mongo) -> list[str]:
    """Say what shows that an end is lost; what a recovery could not bring back, for nobody had relayed it."""
    log, audit, _ = _tails(mongo)
    return [*log.evidence, *audit.evidence]


def lost_ends(mongo: Mongo, reason: str) -> tuple[Tail, Tail]:
    """Return what is lost, for `accept`; raises BadInputError where nothing is, ConflictError while processes live."""
    checked_text("reason", reason)
    refuse_unfinished(mongo)
    if alive := sorted(Membership(mongo, "recover").alive()):
        raise ConflictError(f"Stop all processes first: {', '.join(alive[:5])} live, or did some seconds ago.")
    log, audit = _same_tails(mongo)
    if not (log.is_lost or audit.is_lost):
        raise BadInputError("Nothing of the log is lost: start the processes.")
    return log, audit


def accept(mongo: Mongo, log: Tail, audit: Tail, reason: str, node: ServiceNode) -> dict[str, Any]:
    """Keep in the log what was lost and why it is accepted; then the evidence may go. Returns the event's facts."""
    start = uuid4().hex
    node.journal.started(start, log.end.position)
    command = AcceptLoss(reason, log.fact(), audit.fact(), (*log.evidence, *audit.evidence))
    body = node.application.handle(command, system_call("loss", start)).body
    for work in (RELAY, COMMUNICATIONS, PROJECT):
        Statuses(mongo).forget(work)
    if ReadModels.current(mongo).progress() > log.end.position:
        begin_anew(mongo)
    return body


def longer_topics(bootstrap: str, mongo: Mongo, log: Tail, audit: Tail) -> list[str] | None:
    """Return the topics that go on where log or audit log end: no relay goes on with them. None: Kafka is away."""
    ends = zip(topics_of(mongo.name), (log, audit), strict=True)
    try:
        there = [(topic, tail) for topic, tail in ends if has_topic(bootstrap, topic)]
        return [topic for topic, tail in there if last_position(bootstrap, topic) > tail.end.position]
    except NotAbleError:
        return None


def _same_tails(mongo: Mongo) -> tuple[Tail, Tail]:
    log, audit, unlike = _tails(mongo)
    check_same(unlike)
    return log, audit


def _tails(mongo: Mongo) -> tuple[Tail, Tail, list[str]]:
    """Return the tails of log and audit log, and where they do not belong together."""
    feed, communications = MongoFeed(mongo), MongoAuditLog(mongo, "start", make=False)
    statuses, records = Statuses(mongo), communications.recent(0)
    relayed, carried = (int(statuses.read(work).get("position") or 0) for work in (RELAY, COMMUNICATIONS))
    folded = ReadModels.current(mongo).progress()
    log = end_of_log(feed)
    of_log = claims_of_records(records, log, load(MongoEventStore(mongo, make=False), Losses, LOSSES).accepted)
    of_log += [Claim("the read models are at", folded), Claim("the relay had carried the log to", relayed)]
    of_audit = [Claim("the relay had carried the audit log to", carried)]
    if log.position:
        of_audit.append(Claim("the log has commits, and each has its call: there was a record", 1))
    audit = end_of_audit(communications)
    unlike = [*contradictions(log, of_log), *contradictions(audit, of_audit)]
    return tail_of(log, of_log), tail_of(audit, of_audit), unlike
