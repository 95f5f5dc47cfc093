"""Accept that the log or the audit log has lost its end, and record that in the log."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_at, event_of
from commands.call import Answer
from commands.context import CommandContext
from commands.ports import StoredAppend
from domain.loss import LOSSES, Losses, LostTail, TailLossAccepted


@dataclass(frozen=True, slots=True)
class AcceptLoss:
    """The reason, the ends of log and audit log, and the evidence that there was more."""

    reason: str
    log: LostTail
    audit: LostTail
    evidence: tuple[str, ...]


def accept_loss(command: AcceptLoss, context: CommandContext) -> StoredAppend | None:
    """Append tail-loss-accepted."""
    it = command
    return context.decide(lambda work: work.get(Losses, LOSSES).accept(it.reason, it.log, it.audit, it.evidence))[1]


def answer_accepted(_: object, appended: StoredAppend, context: CommandContext) -> Answer:  # noqa: ARG001 - as every answer
    event = event_of(appended, TailLossAccepted)
    return answer_at(appended, event.model_dump(include={"reason", "log", "audit", "evidence"}))
