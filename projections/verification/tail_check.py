"""Whether a log has lost its tail: positions that others say it had reached, held against what it holds.

Each commit, and each record of the audit log, is on disk before anything that mentions it is. So a mentioned position
that is not there was lost. The functions are pure; the mode that starts looks up what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import ConflictError
from domain.loss import LostTail, TailLossAccepted
from projections.ports import GENESIS, AuditLog, Feed, StoredAuditRecord

MOST_SHOWN = 3


class PositionClaim(NamedTuple):
    """That a log had reached a position; `who` with a verb: `the read models are at`.

    `hash` is what the chain had there, where it is known.
    """

    who: str
    position: int
    hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ends, and its name in sentences; `hash_at` returns its hash at a position that has one."""

    name: str
    position: int
    hash: bytes
    hash_at: Callable[[int], bytes | None]


@dataclass(frozen=True, slots=True)
class TailCheck:
    """Whether a log has lost its tail: where it ends, how far it had come, and what shows that."""

    end: LogEnd
    until: int
    evidence: tuple[str, ...]

    @property
    def is_lost(self) -> bool:
        return self.until > self.end.position

    def fact(self) -> LostTail:
        """Return it as the event has it."""
        return LostTail(position=self.end.position, head=self.end.hash.hex(), until=self.until)


def check_tail(end: LogEnd, claims: Iterable[PositionClaim]) -> TailCheck:
    """Hold claims against a log's end."""
    beyond = [claim for claim in claims if claim.position > end.position]
    until = max((claim.position for claim in beyond), default=end.position)
    return TailCheck(
        end, until, tuple(f"{claim.who} {claim.position}, {end.name} ends at {end.position}" for claim in beyond)
    )


def find_contradictions(end: LogEnd, claims: Iterable[PositionClaim]) -> list[str]:
    """Say where the log has another hash than is claimed: then it is another log, or a rewritten one."""
    return [
        f"{claim.who} {claim.position} with another hash than {end.name} has there"
        for claim in claims
        if claim.hash is not None and claim.position <= end.position and end.hash_at(claim.position) != claim.hash
    ]


def refuse_lost_tails(
    *checks: TailCheck, override_command: str, restore: str = "Restore the back-up that has it."
) -> None:
    """Raise ConflictError where an end is missing; `override_command` is the command that accepts it."""
    lost = [check for check in checks if check.is_lost]
    if lost:
        found = "; ".join(what for check in lost for what in check.evidence[:MOST_SHOWN])
        names = " and ".join(check.end.name for check in lost)
        raise ConflictError(
            f"The end of {names} is lost: {found}. {restore} To go on without what is lost: `{override_command}`; "
            "that is kept in the log for ever."
        )


def refuse_contradictions(found: Sequence[str]) -> None:
    """Raise ConflictError where there are contradictions: no loss of an end explains them."""
    if found:
        raise ConflictError(
            f"The stored files do not belong together: {'; '.join(found[:MOST_SHOWN])}. "
            "Restore all of them from one back-up; `autolearn verify --data DIR` lists what is wrong."
        )


def claims_of_records(
    records: Iterable[StoredAuditRecord], end: LogEnd, losses: Sequence[TailLossAccepted] = ()
) -> list[PositionClaim]:
    """Return what records of the audit log say of the log: the furthest position, the furthest hash, and that in it.

    Records before the last accepted loss speak of a log that is gone.
    """
    accepted = max((loss.audit.position for loss in losses), default=0)
    newer = [it for it in records if it.position > accepted]
    hashed = [it for it in newer if it.content.head]
    within = [it for it in hashed if it.content.domain_position <= end.position]
    furthest = [max(some, key=lambda it: it.content.domain_position) for some in (newer, hashed, within) if some]
    return [_claim(it) for it in dict.fromkeys(furthest)]


def _claim(record: StoredAuditRecord) -> PositionClaim:
    it = record.content
    try:
        found = bytes.fromhex(it.head) or None
    except ValueError:
        found = None
    return PositionClaim(f"record {record.position} of the audit log speaks of", it.domain_position, found)


def find_log_end(feed: Feed) -> LogEnd:
    position, found = feed.end()
    return LogEnd("the log", position, found, lambda at: hash_at(feed, at))


def find_audit_end(audit_log: AuditLog) -> LogEnd:
    last = audit_log.recent(0)[-1:]
    position, found = (last[0].position, last[0].hash) if last else (0, GENESIS)
    return LogEnd("the audit log", position, found, lambda at: record_hash_at(audit_log, at))


def hash_at(feed: Feed, position: int) -> bytes | None:
    """Return the log's chain hash at a position; None where no commit ends there."""
    end = feed.commit_at(position)
    return end.hash if end.position == position else None


def record_hash_at(audit_log: AuditLog, position: int) -> bytes | None:
    """Return the audit log's chain hash at a position; None where there is no record."""
    if position < 1:
        return GENESIS if position == 0 else None
    records = audit_log.read(position - 1, 1)
    return records[0].hash if records and records[0].position == position else None
