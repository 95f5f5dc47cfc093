"""The ends of log and audit log, held against all that tells of them before a process writes anything."""

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
from projections.verification.log_ends import (
    PositionClaim,
    TailFinding,
    check_same,
    check_tails,
    claims_of_records,
    contradictions,
    end_of_audit,
    end_of_log,
    tail_of,
)
from server.start_up import process_call


@dataclass(frozen=True, slots=True)
class Tails:
    """What was found of both; `unlike` says where they do not belong together."""

    log: TailFinding
    audit: TailFinding
    unlike: list[str]

    @property
    def evidence(self) -> tuple[str, ...]:
        """What shows it."""
        return (*self.log.evidence, *self.audit.evidence)

    def check(self, *, override_command: str, **more: str) -> None:
        """Raise ConflictError where an end is lost, or the two do not belong together."""
        check_same(self.unlike)
        check_tails(self.log, self.audit, override_command=override_command, **more)

    def check_lost(self, otherwise: str) -> None:
        """Raise BadInputError where nothing is lost, and so nothing to accept; ConflictError as `check`."""
        check_same(self.unlike)
        if not (self.log.is_lost or self.audit.is_lost):
            raise BadInputError(f"Nothing of the log is lost: {otherwise}.")

    def accept(self, reason: str, application: Application, recorder: SystemRecorder) -> dict[str, Any]:
        """Keep in the log what was lost and why it is accepted; return the event's facts."""
        start = uuid4().hex
        recorder.record_start(start, self.log.end.position)
        command = AcceptLoss(reason, self.log.fact(), self.audit.fact(), self.evidence)
        return application.handle(command, process_call("loss", start)).body


def find_tails(
    store: EventStore,
    feed: Feed,
    audit_log: AuditLog,
    *,
    of_log: Iterable[PositionClaim],
    of_audit: Iterable[PositionClaim],
) -> Tails:
    """Look at both ends. Other processes may append meanwhile: what tells of an end must have been read before."""
    records = audit_log.recent(0)
    log = end_of_log(feed)
    log_claims = [*claims_of_records(records, log, load(store, Losses, LOSSES).accepted), *of_log]
    audit_claims = list(of_audit)
    if log.position:
        audit_claims.append(PositionClaim("the log has commits, and each has its call: there was a record", 1))
    audit = end_of_audit(audit_log)
    unlike = [*contradictions(log, log_claims), *contradictions(audit, audit_claims)]
    return Tails(tail_of(log, log_claims), tail_of(audit, audit_claims), unlike)
