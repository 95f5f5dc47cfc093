"""The audit log: its chain and anchors, what its records say of the log, and that each commit has its call.

A call whose process died before its record was written has none at first: the next process writes one of its own
(`call lost`) and then how far each commit has its record (`calls settled`). From then on a missing one is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from domain.loss import TailLossAccepted
from projections.ports import Anchor, AuditLog, Body, Finding, StoredAuditRecord
from projections.verification.log_check import LogHashes

BATCH: Final = 1000
MOST_FAULTS: Final = 1000

LOST: Final = "call lost"  # the operation of a record for a call whose process died before it wrote one
SETTLED: Final = "calls settled"
CORRELATION: Final = "(calls settled)"  # by which the last such record is found; no call can have it
SINCE: Final = "since:"


class RecordedCalls(NamedTuple):
    """Each commit after position `since` up to position `until` has the record of its call."""

    since: int
    until: int


NO_RECORDED_CALLS: Final = RecordedCalls(0, 0)


def recorded_calls(record: StoredAuditRecord) -> RecordedCalls | None:
    """Return what a record says of how far calls have theirs; None for other records."""
    it = record.content
    if it.kind != "process" or it.operation != SETTLED or record.faults:
        return None
    since = it.causation.removeprefix(SINCE)
    return RecordedCalls(int(since) if since.isascii() and since.isdigit() else it.domain_position, it.domain_position)


def last_recorded_calls(audit_log: AuditLog) -> RecordedCalls | None:
    found = audit_log.page({"correlation": CORRELATION}, None, 1)
    return recorded_calls(found[0]) if found else None


def calls_lost_until(losses: Sequence[TailLossAccepted]) -> int:
    """Return up to which position of the log calls may have gone with the end of the audit log."""
    return max((loss.log.position for loss in losses if loss.audit.until > loss.audit.position), default=0)


@dataclass
class AuditCheck:
    """One pass over the audit log. `hashes` are those of the log as it is now, `losses` those that were accepted."""

    audit_log: AuditLog
    chain_faults: Callable[[Iterable[StoredAuditRecord]], Iterable[tuple[int, str]]]
    is_older: Callable[[StoredAuditRecord], bool]
    hashes: LogHashes
    losses: Sequence[TailLossAccepted] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    position: int = 0
    head: bytes = bytes(32)
    lost_calls: int = 0
    recorded: RecordedCalls = NO_RECORDED_CALLS
    begins_older: bool = False
    faults: list[Finding] = field(default_factory=list)
    _anchored: dict[int, bytes] = field(default_factory=dict)

    def run(self, note_records: Callable[[Iterable[str]], None]) -> Iterator[int]:
        """Read all records and pass their correlations on. Yields positions; afterwards the fields tell."""
        records = self._records(note_records)
        found = islice(self.chain_faults(records), MOST_FAULTS)
        self.faults.extend((None, f"communication {at}: {what}") for at, what in found)
        for _ in records:  # what the chain's check left unread still is a record
            pass
        yield self.position
        self.faults.extend(self._anchor_faults())
        self.faults.extend(self._coverage_faults())

    def needs_record(self, position: int) -> bool:
        """Tell whether it is a fault that the commit at a position has no record of its call."""
        return self.recorded.since < position <= self.recorded.until

    def summary(self) -> Body:
        """Return what the result of verify says of the audit log, and of losses that were accepted."""
        return {
            "audit_position": self.position,
            "audit_head": self.head.hex(),
            "lost_calls": self.lost_calls,
            "losses": [loss.model_dump(include={"reason", "log", "audit", "evidence"}) for loss in self.losses],
        }

    def _records(self, note_records: Callable[[Iterable[str]], None]) -> Iterator[StoredAuditRecord]:
        while records := self.audit_log.read(self.position, BATCH):
            note_records(record.content.correlation for record in records)
            for record in records:
                self._look_at(record)
                yield record
            self.position = records[-1].position

    def _look_at(self, record: StoredAuditRecord) -> None:
        self.head = record.hash
        if any(record.position == position for position, _ in self.anchors.values()):
            self._anchored[record.position] = record.hash
        self.begins_older = self.begins_older or (record.position == 1 and self.is_older(record))
        self.recorded = recorded_calls(record) or self.recorded
        self.lost_calls += record.content.operation == LOST
        fault = self._fault_of(record)
        if fault and len(self.faults) < MOST_FAULTS:
            self.faults.append((None, f"communication {record.position}: {fault}"))

    def _fault_of(self, record: StoredAuditRecord) -> str | None:
        at, head = record.content.domain_position, record.content.head
        if not isinstance(at, int) or record.faults or self._speaks_of_lost_end(record):
            return None  # the chain's check tells what is not a number
        if at < 0 or self.hashes.ends_before(at):
            return f"it speaks of position {at} of the log, which ends at {self.hashes.end}"
        if head and self.hashes.at(at) != head:
            return f"it says that the log had another hash at {at}: they do not belong together"
        return None

    def _speaks_of_lost_end(self, record: StoredAuditRecord) -> bool:
        at = record.content.domain_position
        return any(record.position <= loss.audit.position and at > loss.log.position for loss in self.losses)

    def _anchor_faults(self) -> Iterator[Finding]:
        for name, (at, found) in self.anchors.items():
            if at > self.position:
                yield None, f"the audit log ends at {self.position}, below {at}, which {name} has"
            elif at and self._anchored.get(at) != found:
                yield None, f"communication {at}: {name} has another hash: the audit log was rewritten"

    def _coverage_faults(self) -> Iterator[Finding]:
        """No record may excuse calls from theirs, but for what an older version or an accepted loss left without."""
        if self.position == 0 and not self.hashes.ends_before(1):
            yield None, "the audit log is empty, though each commit of the log has its call"
        since = self.recorded.since
        if since > calls_lost_until(self.losses) and not self.begins_older:
            yield None, f"the audit log leaves out the calls up to position {since}, and no accepted loss says why"
