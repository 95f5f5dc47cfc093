"""Verify: the chain, then read models = replay, then blobs, then the communications' chain, then unanswered calls.

Last, where it is asked for, topics = log and archive. Reports all faults, not the first. Runs in a process of its own
on stores opened for reading, at one position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from domain.errors import BadInputError
from projections.ports import Archived, BlobCheck, Body, Communications, Documents, Feed, History, RawCommit
from projections.spill import OpenSpillTable
from projections.verification.audit_log import Anchor, AuditCheck, told_of
from projections.verification.comparison import Comparison
from projections.verification.log import LogCheck
from projections.verification.log_hashes import LogHashes
from projections.verification.topic import CopyCheck, Placed, Topics
from projections.verification.versions import stored_versions

REACHED_WITHIN = 30.0  # seconds
MOST_FAULTS = 1000  # of one step: a store that is wrong throughout is not listed line by line
BATCH = 1000

Finding = tuple[int | None, str]
Progress = Iterator[Body]
T = TypeVar("T", bound=Placed)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What verify looks at, and the functions of the wire that recompute hashes: (position, what) of each fault.

    `files` give what a store finds wrong with its own file. There are `topics` in the distributed mode alone.
    `is_older` tells a record of an older version. `receipts` are the backend's own of `log` and `audit`.
    `offline`: no backend runs, so read models that a crash left behind the log stay there until the next start.
    """

    feed: Feed
    documents: Documents
    history: History
    blobs: BlobCheck
    communications: Communications
    chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]]
    communication_faults: Callable[[Iterable[Archived]], Iterable[tuple[int, str]]]
    open_spill: OpenSpillTable
    files: tuple[Callable[[], Iterable[str]], ...] = ()
    topics: Topics | None = None
    is_older: Callable[[Archived], bool] = lambda _: False
    receipts: Callable[[], Mapping[str, Anchor]] = dict
    offline: bool = False


@dataclass
class Verification:
    """One run. `anchor` is (position, hash) that the caller knows; `in_flight` correlations are not yet answered."""

    evidence: Evidence
    anchor: Anchor | None = None
    in_flight: frozenset[str] = frozenset()
    until: Anchor | None = None
    faults: list[Finding] = field(default_factory=list)
    unanswered: list[Body] = field(default_factory=list)
    topics: Topics | None = None  # to be checked as well
    audit_anchor: Anchor | None = None
    audit: Body = field(default_factory=dict)  # what the result says of the audit log
    archived: int = 0  # how far the archive was read

    def run(self) -> Progress:
        """Yield progress (`{step, position, of}`), and last `{ok, position, head, faults, unanswered}`."""
        receipts = dict(self.evidence.receipts())  # before the log's end: what is appended meanwhile is beyond them
        position, head = self._head()
        with self.evidence.open_spill() as spill:
            log = LogCheck(self.evidence.feed, position, self.evidence.chain_faults, self.anchor, spill)
            steps = (
                ("files", self._files()),
                ("chain", log.run(self.faults)),
                ("read models", self._read_models(position)),
                ("blobs", self._blobs(log)),
                ("communications", self._communications(log, receipts)),
                *self._topics(position),
            )
            for name, step in steps:
                yield from self._guarded(name, step)
        faults = [{"position": at, "what": what} for at, what in self.faults]
        told = {"ok": not faults, "position": position, "head": head.hex()}
        yield told | {"faults": faults, "unanswered": self.unanswered} | self.audit

    def _head(self) -> tuple[int, bytes]:
        if self.until is not None:
            return self.until
        try:
            return self.evidence.feed.head()
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            self.faults.append((None, f"the log cannot be opened: {error}"))
            return 0, bytes(32)

    def _guarded(self, name: str, step: Progress) -> Progress:
        yield {"step": name}
        try:
            for progress in step:
                yield {"step": name} | progress
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            self.faults.append((None, f"{name} cannot be checked to the end: {type(error).__name__}: {error}"))

    def _files(self) -> Progress:
        for check in self.evidence.files:
            try:
                self.faults.extend((None, what) for what in check())
            except Exception as error:  # noqa: BLE001 - as in `_guarded`: the other checks go on
                self.faults.append((None, f"what is stored cannot be checked: {type(error).__name__}: {error}"))
            yield {}

    def _read_models(self, position: int) -> Progress:
        documents, history, feed = self.evidence.documents, self.evidence.history, self.evidence.feed
        if self.evidence.offline:
            position = min(position, documents.position())
        if not documents.wait(position, REACHED_WITHIN):
            at = documents.position()
            self.faults.append((at, f"the read models are at {at} and do not reach {position}"))
            return
        if (at := documents.position()) > feed.head()[0]:
            self.faults.append((at, f"the read models are at {at}, ahead of the log"))
        stored = partial(stored_versions, documents, history, position)
        comparison = Comparison(feed, position, self.evidence.open_spill, stored)
        for reached in comparison.run():
            yield {"position": reached, "of": position}
        self.faults.extend((poison.position, poison.sentence) for poison in comparison.poisons)
        self.faults.extend(comparison.findings)

    def _blobs(self, log: LogCheck) -> Progress:
        for sha256, position in log.blobs():
            what = self.evidence.blobs.check(sha256)
            if what is not None:
                self.faults.append((position, f"blob {sha256}: {what}"))
            yield {}
        for sha256 in self.evidence.blobs.stored():  # one day an event may name it
            if not log.names(sha256) and (what := self.evidence.blobs.check(sha256)) is not None:
                self.faults.append((None, f"no event names blob {sha256}: {what}"))
            yield {}

    def _communications(self, log: LogCheck, receipts: Mapping[str, Anchor]) -> Progress:
        it, hashes = self.evidence, LogHashes(self.evidence.feed)
        given = {"the anchor": self.audit_anchor, "receipts.json": receipts.get("audit")}
        anchors = {name: anchor for name, anchor in given.items() if anchor is not None}
        check = AuditCheck(
            it.communications, it.communication_faults, it.is_older, hashes, losses=log.losses, anchors=anchors
        )
        try:
            for _ in check.run(log.answer):
                yield {"position": log.position, "of": log.position}
        finally:
            self.archived = check.position
            self.faults += [*check.faults, *_receipt_faults(hashes, receipts.get("log"))]
        self.audit = told_of(check, log.losses)
        self._sort_out(check, log)

    def _sort_out(self, check: AuditCheck, log: LogCheck) -> None:
        """List who was not answered: before what is settled that is a fault, after it a process that died."""
        found = sorted((at, correlation) for correlation, at in log.unanswered() if correlation not in self.in_flight)
        missing = [(at, f"the call {it} has no record in the audit log") for at, it in found if check.missing(at)]
        self.faults += missing[:MOST_FAULTS]
        self.unanswered = [{"correlation": it, "position": at} for at, it in found if not check.missing(at)]

    def _topics(self, position: int) -> tuple[tuple[str, Progress], ...]:
        if self.topics is None:
            return ()
        steps = self._events_topic(self.topics, position), self._communications_topic(self.topics)
        return ("events topic", steps[0]), ("communications topic", steps[1])

    def _events_topic(self, topics: Topics, position: int) -> Progress:
        check = CopyCheck("the events topic", self.evidence.feed.raw_after, position)
        yield from self._copied(check, topics.commits(position, REACHED_WITHIN))

    def _communications_topic(self, topics: Topics) -> Progress:
        check = CopyCheck("the communications topic", self.evidence.communications.read, self.archived)
        yield from self._copied(check, topics.communications(self.archived, REACHED_WITHIN))

    def _copied(self, check: CopyCheck[T], copy: Iterable[T | Finding]) -> Progress:
        try:
            for reached in check.run(copy):
                yield {"position": reached, "of": check.until}
        finally:
            self.faults.extend(check.faults)


def _receipt_faults(hashes: LogHashes, receipt: Anchor | None) -> Iterator[Finding]:
    if receipt is None:
        return
    position, found = receipt
    if hashes.end_before(position):
        yield position, f"the log ends at {hashes.end}, below {position}, which receipts.json has"
    elif hashes.at(position) != found.hex():
        yield position, "receipts.json has another hash: the log was rewritten"


def verify(
    evidence: Evidence,
    *,
    anchor: Anchor | None = None,
    audit_anchor: Anchor | None = None,
    in_flight: frozenset[str] = frozenset(),
    until: Anchor | None = None,
    against_topics: bool = False,
) -> Progress:
    """Check everything. Yields progress (`{step, position, of}`), last `{ok, position, head, faults, unanswered, …}`.

    `anchor` and `audit_anchor` are position and hash that the caller knows of the log and of the audit log.
    `until` is the log's head (position, hash) as it was before `in_flight` was taken (correlations of calls that run):
    so each call up to there is either still in flight, or its communication is archived. None: the head of now.
    `against_topics` raises BadInputError where there are none.
    """
    if against_topics and evidence.topics is None:
        raise BadInputError("There is no Kafka in the embedded mode: verify checks its log without `against`.")
    topics = evidence.topics if against_topics else None
    return Verification(evidence, anchor, in_flight, until, topics=topics, audit_anchor=audit_anchor).run()
