"""How far each commit of the log has the record of its call: said by records of the audit log itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.loss import TailLossAccepted
from projections.ports import Archived, Communications

LOST: Final = "call lost"  # the operation of a record for a call whose process died before it was archived
SETTLED: Final = "calls settled"
CORRELATION: Final = "(calls settled)"  # by which the last such record is found; no call can have it
SINCE: Final = "since:"


class Settled(NamedTuple):
    """Each commit after position `since` up to position `until` has its record."""

    since: int
    until: int


NOTHING_SETTLED: Final = Settled(0, 0)


def settled_by(record: Archived) -> Settled | None:
    """Return what a record says of it; None for other records."""
    it = record.communication
    if it.kind != "process" or it.operation != SETTLED or record.faults:
        return None
    since = it.causation.removeprefix(SINCE)
    return Settled(int(since) if since.isascii() and since.isdigit() else it.domain_position, it.domain_position)


def last_settled(communications: Communications) -> Settled | None:
    """Return what the last such record says; None where there is none."""
    found = communications.page({"correlation": CORRELATION}, None, 1)
    return settled_by(found[0]) if found else None


def calls_lost_until(losses: Sequence[TailLossAccepted]) -> int:
    """Return up to which position of the log calls may have gone with the end of the audit log."""
    return max((loss.log.position for loss in losses if loss.audit.until > loss.audit.position), default=0)
