"""Losses: lost ends of the log or the audit log that were accepted, with the evidence."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Aggregate, Event, Value
from domain.values import check_text

LOSSES = "installation:losses"  # the one stream of an installation's losses


class LostTail(Value):
    """Where a log ended when a loss was accepted, its chain hash (hex) there, and up to where it is known to be lost.

    `until` is `position` if nothing of this log was lost.
    """

    position: int
    head: str
    until: int


class TailLossAccepted(Event):
    """The log or the audit log lost its end, and is accepted as it is."""

    NAME: ClassVar[str] = "tail-loss-accepted.v1"
    reason: str
    log: LostTail
    audit: LostTail
    evidence: tuple[str, ...]

    def apply(self, aggregate: Losses) -> None:
        aggregate.accepted = (*aggregate.accepted, self)


class Losses(Aggregate):
    """What was ever lost and accepted."""

    accepted: tuple[TailLossAccepted, ...] = ()

    def accept(self, reason: str, log: LostTail, audit: LostTail, evidence: tuple[str, ...]) -> None:
        """Accept the loss and continue with what is left."""
        facts = {"log": log, "audit": audit, "evidence": evidence}
        self.trigger_event(TailLossAccepted, reason=check_text("reason", reason), **facts)
