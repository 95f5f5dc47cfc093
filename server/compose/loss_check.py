"""Whether the log or the audit log has lost its end: checked before a process writes anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from adapters.audit_log.system_records import SystemRecorder
from commands.application import Application
from commands.ports import EventStore
from commands.storage.accept_loss import AcceptLoss
from commands.unit_of_work import load
from domain.errors import BadInputError
from domain.loss import LOSSES, Losses
from projections.ports import AuditLog, Feed
from projections.verification.tail_check import (
    PositionClaim,
    TailCheck,
    check_tail,
    claims_of_records,
    find_audit_end,
    find_contradictions,
    find_log_end,
    refuse_contradictions,
    refuse_lost_tails,
)
from server.start_up import process_call


@dataclass(frozen=True, slots=True)
class LossCheck:
    """What was found of both logs; `contradictions` says where they do not belong together."""

    log: TailCheck
    audit: TailCheck
    contradictions: list[str]

    @property
    def evidence(self) -> tuple[str, ...]:
        """What shows the loss, in sentences."""
        return (*self.log.evidence, *self.audit.evidence)

    def refuse_loss(self, *, override_command: str, **more: str) -> None:
        """Raise ConflictError where an end is lost, or the two do not belong together."""
        refuse_contradictions(self.contradictions)
        refuse_lost_tails(self.log, self.audit, override_command=override_command, **more)

    def require_loss(self, otherwise: str) -> None:
        """Raise BadInputError where nothing is lost, and so nothing to accept; ConflictError as `refuse_loss`."""
        refuse_contradictions(self.contradictions)
        if not (self.log.is_lost or self.audit.is_lost):
            raise BadInputError(f"Nothing of the log is lost: {otherwise}.")

    def accept(self, reason: str, application: Application, recorder: SystemRecorder) -> dict[str, Any]:
        """Keep in the log what was lost and why it is accepted; return the event's facts."""
        start = uuid4().hex
        recorder.record_start(start, self.log.end.position)
        command = AcceptLoss(reason, self.log.fact(), self.audit.fact(), self.evidence)
        return application.handle(command, process_call("loss", start)).body


def check_claims(
    store: EventStore,
    feed: Feed,
    audit_log: AuditLog,
    *,
    of_log: Iterable[PositionClaim],
    of_audit: Iterable[PositionClaim],
) -> LossCheck:
    """Hold the claims against both ends.

    Other processes may append meanwhile, so each claim must have been read before.
    """
    records = audit_log.recent(0)
    log = find_log_end(feed)
    log_claims = [*claims_of_records(records, log, load(store, Losses, LOSSES).accepted), *of_log]
    audit_claims = list(of_audit)
    if log.position:
        audit_claims.append(PositionClaim("the log has commits, and each has its call: there was a record", 1))
    audit = find_audit_end(audit_log)
    contradictions = [*find_contradictions(log, log_claims), *find_contradictions(audit, audit_claims)]
    return LossCheck(check_tail(log, log_claims), check_tail(audit, audit_claims), contradictions)
