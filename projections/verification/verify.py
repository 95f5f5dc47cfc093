"""Verify: the chain, then read models = replay, then blobs, then the audit log's chain, then calls without a record.

Last, where it is asked for, topics = log and audit log. Reports all faults, not the first. Runs in a process of its own
on stores opened for reading, at one position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from domain.errors import AutoLearnError, BadInputError
from projections.ports import Anchor, Body, Finding
from projections.verification.audit_check import AuditCheck
from projections.verification.log_check import LogCheck, LogHashes
from projections.verification.read_models import Comparison, StoredVersions
from projections.verification.stores import InspectedStores
from projections.verification.topic_check import CopyCheck, Positioned, Topics

REACHED_WITHIN = 30.0  # seconds
MOST_FAULTS = 1000  # of one step: a store that is wrong throughout is not listed line by line

Progress = Iterator[Body]
ReadModelCheck = Callable[[int], Progress | None]
T = TypeVar("T", bound=Positioned)


def verify(
    stores: InspectedStores,
    *,
    anchor: Anchor | None = None,
    audit_anchor: Anchor | None = None,
    in_flight: frozenset[str] = frozenset(),
    until: Anchor | None = None,
    against_topics: bool = False,
    read_models: ReadModelCheck | None = None,
) -> Progress:
    """Check everything. Yields progress (`{step, position, of}`), last `{ok, position, head, faults, unanswered, …}`.

    `anchor` and `audit_anchor` are position and hash that the caller knows of the log and of the audit log.
    `until` is the end of the log as it was before `in_flight` was taken (correlations of calls that run): so each
    call up to there is either still in flight, or has its record. None: the end as it is now.
    `against_topics` raises BadInputError where there are none. `read_models` begins to check them elsewhere, and
    is asked for what it found after everything else; where it gives None, they are checked here.
    """
    if against_topics and stores.topics is None:
        raise BadInputError("There is no Kafka in the embedded mode: verify checks its log without `against`.")
    topics = stores.topics if against_topics else None
    return VerificationRun(stores, anchor, audit_anchor, in_flight, until, topics, read_models).run()


def verify_read_models(stores: InspectedStores, position: int) -> Progress:
    """Check the read models alone, up to a position. Yields progress, last `{faults: [[position, what]…]}`."""
    run = VerificationRun(stores)
    yield from run.guarded("read models", run.read_models_against_log(position))
    yield {"faults": run.faults}


@dataclass
class VerificationRun:
    """One run."""

    stores: InspectedStores
    anchor: Anchor | None = None
    audit_anchor: Anchor | None = None
    in_flight: frozenset[str] = frozenset()
    until: Anchor | None = None
    topics: Topics | None = None
    read_models: ReadModelCheck | None = None
    faults: list[Finding] = field(default_factory=list)
    unanswered: list[Body] = field(default_factory=list)
    audit_summary: Body = field(default_factory=dict)
    audit_position: int = 0  # how far the audit log was read

    def run(self) -> Progress:
        receipts = dict(self.stores.receipts())  # before the log's end: what is appended meanwhile is beyond them
        position, head = self._end()
        it = self.stores
        begun = self.read_models(position) if self.read_models is not None else None
        with self.stores.open_spill() as spill:
            log = LogCheck(
                it.feed,
                position,
                chain_faults=it.chain_faults,
                decode=it.decode,
                anchor=self.anchor,
                spill=spill,
            )
            steps = [
                ("files", self._files()),
                ("chain", log.run(self.faults)),
                ("blobs", self._blobs(log)),
                ("communications", self._audit_log(log, receipts)),
            ]
            if begun is None:
                steps.insert(2, ("read models", self.read_models_against_log(position)))
            if self.topics is not None:
                steps += [
                    ("events topic", self._events_topic(self.topics, position)),
                    ("communications topic", self._audit_topic(self.topics)),
                ]
            if begun is not None:
                steps.append(("read models", self._found_elsewhere(begun)))
            for name, step in steps:
                yield from self.guarded(name, step)
        faults = [{"position": at, "what": what} for at, what in self.faults]
        result = {"ok": not faults, "position": position, "head": head.hex()}
        yield result | {"faults": faults, "unanswered": self.unanswered} | self.audit_summary

    def _end(self) -> Anchor:
        if self.until is not None:
            return self.until
        try:
            return self.stores.feed.end()
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            self.faults.append((None, f"the log cannot be opened: {error}"))
            return 0, bytes(32)

    def guarded(self, name: str, step: Progress) -> Progress:
        yield {"step": name}
        try:
            for progress in step:
                yield {"step": name} | progress
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            self.faults.append((None, f"{name} cannot be checked to the end: {_reason(error)}"))

    def _files(self) -> Progress:
        for check in self.stores.file_checks:
            try:
                self.faults.extend((None, what) for what in check())
            except Exception as error:  # noqa: BLE001 - as in `guarded`: the other checks go on
                self.faults.append((None, f"what is stored cannot be checked: {type(error).__name__}: {error}"))
            yield {}

    def _found_elsewhere(self, begun: Progress) -> Progress:
        for step in begun:
            if "faults" in step:
                self.faults.extend((at, what) for at, what in step["faults"])
            else:
                yield step

    def read_models_against_log(self, position: int) -> Progress:
        documents, feed = self.stores.documents, self.stores.feed
        if self.stores.offline:
            position = min(position, documents.position())
        if not documents.wait(position, REACHED_WITHIN):
            at = documents.position()
            self.faults.append((at, f"the read models are at {at} and do not reach {position}"))
            return
        if (at := documents.position()) > feed.end()[0]:
            self.faults.append((at, f"the read models are at {at}, ahead of the log"))
        stored = StoredVersions(documents, self.stores.history, position)
        comparison = Comparison(feed, stored, self.stores.open_spill)
        for reached in comparison.run():
            yield {"position": reached, "of": position}
        self.faults.extend((poison.position, poison.sentence) for poison in comparison.poisons)
        self.faults.extend(comparison.findings)

    def _blobs(self, log: LogCheck) -> Progress:
        for sha256, position in log.blobs():
            what = self.stores.blobs.check(sha256)
            if what is not None:
                self.faults.append((position, f"blob {sha256}: {what}"))
            yield {}
        for sha256 in self.stores.blobs.stored():  # one day an event may name it
            if not log.names(sha256) and (what := self.stores.blobs.check(sha256)) is not None:
                self.faults.append((None, f"no event names blob {sha256}: {what}"))
            yield {}

    def _audit_log(self, log: LogCheck, receipts: Mapping[str, Anchor]) -> Progress:
        it, hashes = self.stores, LogHashes(self.stores.feed)
        given = {"the anchor": self.audit_anchor, "receipts.json": receipts.get("audit")}
        anchors = {name: anchor for name, anchor in given.items() if anchor is not None}
        check = AuditCheck(it.audit_log, it.audit_chain_faults, it.is_older, hashes, losses=log.losses, anchors=anchors)
        try:
            for _ in check.run(log.note_records):
                yield {"position": log.position, "of": log.position}
        finally:
            self.audit_position = check.position
            self.faults[:0] = _receipt_faults(hashes, receipts.get("log"))  # first: it explains much of the rest
            self.faults += check.faults
        self.audit_summary = check.summary()
        found = sorted(
            (at, correlation) for correlation, at in log.without_record() if correlation not in self.in_flight
        )
        missing = [(at, f"the call {it} has no record in the audit log") for at, it in found if check.needs_record(at)]
        self.faults += missing[:MOST_FAULTS]
        self.unanswered = [{"correlation": it, "position": at} for at, it in found if not check.needs_record(at)]

    def _events_topic(self, topics: Topics, position: int) -> Progress:
        check = CopyCheck("the events topic", self.stores.feed.raw_after, position)
        return self._copy(check, topics.commits(position, REACHED_WITHIN))

    def _audit_topic(self, topics: Topics) -> Progress:
        check = CopyCheck("the communications topic", self.stores.audit_log.read, self.audit_position)
        yield from self._copy(check, topics.audit_log(self.audit_position, REACHED_WITHIN))

    def _copy(self, check: CopyCheck[T], copy: Iterable[T | Finding]) -> Progress:
        try:
            for reached in check.run(copy):
                yield {"position": reached, "of": check.until}
        finally:
            self.faults.extend(check.faults)


def _reason(error: Exception) -> str:
    return error.sentence if isinstance(error, AutoLearnError) else f"{type(error).__name__}: {error}"


def _receipt_faults(hashes: LogHashes, receipt: Anchor | None) -> Iterator[Finding]:
    if receipt is None:
        return
    position, found = receipt
    if hashes.ends_before(position):
        yield (
            position,
            f"the end of the log is lost: it ends at {hashes.end}, receipts.json has position {position}",
        )
    elif hashes.at(position) != found.hex():
        yield position, "receipts.json has another hash: the log was rewritten"
