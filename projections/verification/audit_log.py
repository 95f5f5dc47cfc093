"""The audit log: its chain and anchors, what its records say of the log, and that each commit has its call.

A call whose process died before it could be archived has no record at first: the next process says so by one of its
own (`call lost`) and then how far each commit has its record (`calls settled`), so that a missing one is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from domain.loss import TailLossAccepted
from projections.ports import Archived, Body, Communications
from projections.verification.log_hashes import LogHashes
from projections.verification.settled import LOST, NOTHING_SETTLED, Settled, calls_lost_until, settled_by

BATCH = 1000
MOST_FAULTS = 1000

Finding = tuple[int | None, str]
Anchor = tuple[int, bytes]


@dataclass
class AuditCheck:
    """One pass over the audit log. `hashes` are those of the log as it is now, `losses` those that were accepted."""

    communications: Communications
    chain_faults: Callable[[Iterable[Archived]], Iterable[tuple[int, str]]]
    is_older: Callable[[Archived], bool]
    hashes: LogHashes
    losses: Sequence[TailLossAccepted] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    position: int = 0
    head: bytes = bytes(32)
    lost_calls: int = 0
    settled: Settled = NOTHING_SETTLED
    begins_older: bool = False
    faults: list[Finding] = field(default_factory=list)
    _anchored: dict[int, bytes] = field(default_factory=dict)

    def run(self, answer: Callable[[str], None]) -> Iterator[int]:
        """Read all records; `answer` is told each correlation. Yields positions; afterwards the fields tell."""
        records = self._records(answer)
        found = islice(self.chain_faults(records), MOST_FAULTS)
        self.faults.extend((None, f"communication {at}: {what}") for at, what in found)
        for _ in records:  # what the chain's check left unread still answers calls
            pass
        yield self.position
        self.faults.extend(self._anchor_faults())
        self.faults.extend(self._vouched_faults())

    def missing(self, position: int) -> bool:
        """Whether it is a fault that the commit at a position has no record of its call."""
        return self.settled.since < position <= self.settled.until

    def _records(self, answer: Callable[[str], None]) -> Iterator[Archived]:
        while records := self.communications.read(self.position, BATCH):
            for record in records:
                answer(record.communication.correlation)
                self._note(record)
                yield record
            self.position = records[-1].position

    def _note(self, record: Archived) -> None:
        self.head = record.hash
        if any(record.position == position for position, _ in self.anchors.values()):
            self._anchored[record.position] = record.hash
        self.begins_older = self.begins_older or (record.position == 1 and self.is_older(record))
        self.settled = settled_by(record) or self.settled
        self.lost_calls += record.communication.operation == LOST
        what = self._wrong(record)
        if what and len(self.faults) < MOST_FAULTS:
            self.faults.append((None, f"communication {record.position}: {what}"))

    def _wrong(self, record: Archived) -> str | None:
        it = record.communication
        if not isinstance(it.domain_position, int) or record.faults or self._is_of_lost(record):
            return None  # what is no number the chain tells
        if it.domain_position < 0 or self.hashes.end_before(it.domain_position):
            return f"it speaks of position {it.domain_position} of the log, which ends at {self.hashes.end}"
        if it.head and self.hashes.at(it.domain_position) != it.head:
            return f"it says that the log had another hash at {it.domain_position}: they do not belong together"
        return None

    def _is_of_lost(self, record: Archived) -> bool:
        at = record.communication.domain_position
        return any(record.position <= loss.audit.position and at > loss.log.position for loss in self.losses)

    def _anchor_faults(self) -> Iterator[Finding]:
        for name, (at, found) in self.anchors.items():
            if at > self.position:
                yield None, f"the audit log ends at {self.position}, below {at}, which {name} has"
            elif at and self._anchored.get(at) != found:
                yield None, f"communication {at}: {name} has another hash: the audit log was rewritten"

    def _vouched_faults(self) -> Iterator[Finding]:
        """Nobody may say that calls need no records, but for what an older version or an accepted loss left without."""
        if self.position == 0 and not self.hashes.end_before(1):
            yield None, "the audit log is empty, though each commit of the log has its call"
        since = self.settled.since
        if since > calls_lost_until(self.losses) and not self.begins_older:
            yield None, f"the audit log leaves out the calls up to position {since}, and no accepted loss says why"


def told_of(check: AuditCheck, losses: Sequence[TailLossAccepted]) -> Body:
    """Return what the result of verify says of the audit log, and of losses that were accepted."""
    accepted = [loss.model_dump(include={"reason", "log", "audit", "evidence"}) for loss in losses]
    ends = {"audit_position": check.position, "audit_head": check.head.hex()}
    return ends | {"lost_calls": check.lost_calls, "losses": accepted}
