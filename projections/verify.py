"""Verify: the chain, then read models = replay, then blobs, then the communications' chain, then unanswered calls.

Reports all faults, not the first. Runs in a process of its own on stores opened for reading, at one position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from projections.change import Body
from projections.log_check import LogCheck
from projections.ports import Archived, BlobCheck, Communications, Documents, Feed, History, RawCommit
from projections.versions import RANGE, Fingerprints, LoggedVersions, Version, compare, stored_versions

REACHED_WITHIN = 30.0  # seconds
MOST_FAULTS = 1000  # of one step: a store that is wrong throughout is not listed line by line
BATCH = 1000

Finding = tuple[int | None, str]
Progress = Iterator[Body]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What verify looks at, and the functions of the wire that recompute hashes: (position, what) of each fault.

    `files` give what a store finds wrong with its own file.
    """

    feed: Feed
    documents: Documents
    history: History
    blobs: BlobCheck
    communications: Communications
    chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]]
    communication_faults: Callable[[Iterable[Archived]], Iterable[tuple[int, str]]]
    files: tuple[Callable[[], Iterable[str]], ...] = ()


@dataclass
class Verification:
    """One run. `anchor` is (position, hash) that the caller knows; `in_flight` correlations are not yet answered."""

    evidence: Evidence
    anchor: tuple[int, bytes] | None = None
    in_flight: frozenset[str] = frozenset()
    faults: list[Finding] = field(default_factory=list)
    unanswered: list[Body] = field(default_factory=list)

    def run(self) -> Progress:
        """Yield progress (`{step, position, of}`), and last `{ok, position, head, faults, unanswered}`."""
        try:
            position, head = self.evidence.feed.head()
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            position, head = 0, bytes(32)
            self.faults.append((None, f"the log cannot be opened: {error}"))
        log = LogCheck(self.evidence.feed, position, self.evidence.chain_faults, self.anchor)
        steps = (
            ("files", self._files()),
            ("chain", log.run(self.faults)),
            ("read models", self._read_models(position)),
            ("blobs", self._blobs(log)),
            ("communications", self._communications(log)),
        )
        for name, step in steps:
            yield from self._guarded(name, step)
        faults = [{"position": at, "what": what} for at, what in self.faults]
        told = {"ok": not faults, "position": position, "head": head.hex()}
        yield told | {"faults": faults, "unanswered": self.unanswered}

    def _guarded(self, name: str, step: Progress) -> Progress:
        yield {"step": name}
        try:
            for progress in step:
                yield {"step": name} | progress
        except Exception as error:  # noqa: BLE001 - whatever a damaged store raises is a finding
            self.faults.append((None, f"{name} cannot be checked to the end: {type(error).__name__}: {error}"))

    def _files(self) -> Progress:
        for check in self.evidence.files:
            self.faults.extend((None, what) for what in check())
            yield {}

    def _read_models(self, position: int) -> Progress:
        documents, history, feed = self.evidence.documents, self.evidence.history, self.evidence.feed
        if not documents.wait(position, REACHED_WITHIN):
            at = documents.position()
            self.faults.append((at, f"the read models are at {at} and do not reach {position}"))
            return
        if (at := documents.position()) > feed.head()[0]:
            self.faults.append((at, f"the read models are at {at}, ahead of the log"))
        expected, logged = Fingerprints(), LoggedVersions(feed, position)
        for reached in logged.run(expected.add):
            yield {"position": reached, "of": position}
        self.faults.extend((poison.position, poison.sentence) for poison in logged.poisons)
        if logged.poisons:
            return
        unlike = expected.unlike(Fingerprints(stored_versions(documents, history, position)))
        if unlike:
            yield from self._in_full(position, unlike)

    def _in_full(self, position: int, unlike: set[int]) -> Progress:
        """Compute the ranges that differ again, and name what differs."""
        chosen: list[Version] = []

        def keep(version: Version) -> None:
            if version.from_ // RANGE in unlike:
                chosen.append(version)

        for reached in LoggedVersions(self.evidence.feed, position).run(keep):
            yield {"position": reached, "of": position}
        stored = stored_versions(self.evidence.documents, self.evidence.history, position)
        found = compare(chosen, (version for version in stored if version.from_ // RANGE in unlike))
        self.faults.extend(islice(found, MOST_FAULTS))

    def _blobs(self, log: LogCheck) -> Progress:
        for sha256, position in log.blobs.items():
            what = self.evidence.blobs.check(sha256)
            if what is not None:
                self.faults.append((position, f"blob {sha256}: {what}"))
            yield {}

    def _communications(self, log: LogCheck) -> Progress:
        waiting = dict(log.correlations)
        records = self._records(waiting)
        found = self.evidence.communication_faults(records)
        self.faults.extend((None, f"communication {at}: {what}") for at, what in islice(found, MOST_FAULTS))
        for _ in records:  # what the check left unread still answers calls
            pass
        unanswered = [(at, correlation) for correlation, at in waiting.items() if correlation not in self.in_flight]
        self.unanswered = [{"correlation": correlation, "position": at} for at, correlation in sorted(unanswered)]
        yield {"position": log.position, "of": log.position}

    def _records(self, waiting: dict[str, int]) -> Iterator[Archived]:
        after = 0
        while records := self.evidence.communications.read(after, BATCH):
            for record in records:
                waiting.pop(record.communication.correlation, None)
                yield record
            after = records[-1].position


def verify(
    evidence: Evidence, *, anchor: tuple[int, bytes] | None = None, in_flight: frozenset[str] = frozenset()
) -> Progress:
    """Check everything. Yields progress (`{step, position, of}`), last `{ok, position, head, faults, unanswered}`.

    Take `in_flight` (correlations of calls that run) after the log's head was known to be at least what is checked, so
    that a call is either still in flight or its communication is archived.
    """
    return Verification(evidence, anchor, in_flight).run()
