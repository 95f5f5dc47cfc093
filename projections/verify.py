"""Verify: the chain, then read models = replay, then blobs, then the communications' chain, then unanswered calls.

Last, where it is asked for, topics = log and archive. Reports all faults, not the first. Runs in a process of its own
on stores opened for reading, at one position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TypeVar

from domain.errors import BadInputError
from projections.blobs import BlobCheck
from projections.change import Body
from projections.comparison import Comparison
from projections.log_check import LogCheck
from projections.ports import Archived, Communications, Documents, Feed, History, RawCommit
from projections.stash import OpenStash
from projections.topic_check import CopyCheck, Placed, Topics
from projections.versions import stored_versions

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
    """

    feed: Feed
    documents: Documents
    history: History
    blobs: BlobCheck
    communications: Communications
    chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]]
    communication_faults: Callable[[Iterable[Archived]], Iterable[tuple[int, str]]]
    open_stash: OpenStash
    files: tuple[Callable[[], Iterable[str]], ...] = ()
    topics: Topics | None = None


@dataclass
class Verification:
    """One run. `anchor` is (position, hash) that the caller knows; `in_flight` correlations are not yet answered."""

    evidence: Evidence
    anchor: tuple[int, bytes] | None = None
    in_flight: frozenset[str] = frozenset()
    until: tuple[int, bytes] | None = None
    faults: list[Finding] = field(default_factory=list)
    unanswered: list[Body] = field(default_factory=list)
    topics: Topics | None = None  # to be checked as well
    archived: int = 0  # how far the archive was read

    def run(self) -> Progress:
        """Yield progress (`{step, position, of}`), and last `{ok, position, head, faults, unanswered}`."""
        position, head = self._head()
        with self.evidence.open_stash() as stash:
            log = LogCheck(self.evidence.feed, position, self.evidence.chain_faults, self.anchor, stash)
            steps = (
                ("files", self._files()),
                ("chain", log.run(self.faults)),
                ("read models", self._read_models(position)),
                ("blobs", self._blobs(log)),
                ("communications", self._communications(log)),
                *self._topics(position),
            )
            for name, step in steps:
                yield from self._guarded(name, step)
        faults = [{"position": at, "what": what} for at, what in self.faults]
        told = {"ok": not faults, "position": position, "head": head.hex()}
        yield told | {"faults": faults, "unanswered": self.unanswered}

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
        if not documents.wait(position, REACHED_WITHIN):
            at = documents.position()
            self.faults.append((at, f"the read models are at {at} and do not reach {position}"))
            return
        if (at := documents.position()) > feed.head()[0]:
            self.faults.append((at, f"the read models are at {at}, ahead of the log"))
        stored = partial(stored_versions, documents, history, position)
        comparison = Comparison(feed, position, self.evidence.open_stash, stored)
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

    def _communications(self, log: LogCheck) -> Progress:
        records = self._records(log)
        found = self.evidence.communication_faults(records)
        self.faults.extend((None, f"communication {at}: {what}") for at, what in islice(found, MOST_FAULTS))
        for _ in records:  # what the check left unread still answers calls
            pass
        unanswered = [(at, correlation) for correlation, at in log.unanswered() if correlation not in self.in_flight]
        self.unanswered = [{"correlation": correlation, "position": at} for at, correlation in sorted(unanswered)]
        yield {"position": log.position, "of": log.position}

    def _records(self, log: LogCheck) -> Iterator[Archived]:
        after = 0
        while records := self.evidence.communications.read(after, BATCH):
            for record in records:
                log.answer(record.communication.correlation)
                yield record
            after = self.archived = records[-1].position

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


def verify(
    evidence: Evidence,
    *,
    anchor: tuple[int, bytes] | None = None,
    in_flight: frozenset[str] = frozenset(),
    until: tuple[int, bytes] | None = None,
    against_topics: bool = False,
) -> Progress:
    """Check everything. Yields progress (`{step, position, of}`), last `{ok, position, head, faults, unanswered}`.

    `until` is the log's head (position, hash) as it was before `in_flight` was taken (correlations of calls that run):
    so each call up to there is either still in flight, or its communication is archived. None: the head of now.
    `against_topics` raises BadInputError where there are none.
    """
    if against_topics and evidence.topics is None:
        raise BadInputError("There is no Kafka in the embedded mode: verify checks its log without `against`.")
    topics = evidence.topics if against_topics else None
    return Verification(evidence, anchor, in_flight, until, topics=topics).run()
