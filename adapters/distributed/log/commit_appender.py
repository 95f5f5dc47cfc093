"""The line of commits: which appends may follow the tail, and why a unique key refused one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from bson.int64 import Int64

from adapters.distributed.log.commit_documents import TAIL_FIELDS, document_of
from adapters.distributed.log.commit_reads import CommitReads, Version
from adapters.distributed.mongo import Fields
from adapters.log.appends import Append, AppendPlan, KnownAppendError
from adapters.log.chain import Tail
from commands.ports import VersionConflict
from domain.errors import NotAbleError
from projections.ports import RawCommit, RawEvent


@dataclass(slots=True, eq=False)
class PendingDocument:
    """An append that waits for its place."""

    append: Append
    commit: RawCommit | None = None
    document: Fields | None = None
    refusal: Exception | None = None


class CommitLine:
    """Plans trust the unique keys: an append goes in without a question, except whether it leaves a hole."""

    def __init__(self, reads: CommitReads, now: Callable[[], int]) -> None:
        self._reads, self._now = reads, now

    def follow(self, tail: Fields, jobs: Sequence[PendingDocument]) -> list[tuple[PendingDocument, Fields]]:
        """Return the documents of the appends that may follow; others get their refusal."""
        log = _Seen(self._reads, self._reads.held(self._unproven(jobs)))
        plan = AppendPlan(log, _tail_in(tail), self._now(), trusting=True)
        planned = []
        for job in jobs:
            job.refusal = None
            try:
                job.commit = plan.add(job.append)
            except (KnownAppendError, VersionConflict) as refusal:
                job.refusal = refusal
            else:
                planned.append((job, document_of(job.commit)))
        return planned

    def blame(self, job: PendingDocument) -> Exception | None:
        """Say what the log holds that the append's unique keys met."""
        try:
            AppendPlan(_Stored(self._reads), Tail(), 0, trusting=False).check(job.append)
        except (KnownAppendError, VersionConflict) as refusal:
            return refusal
        return None

    def _unproven(self, jobs: Sequence[PendingDocument]) -> list[Version]:
        """Return the versions that must be in the log lest the appends leave holes, and that nobody has seen yet."""
        own = {(event.stream, event.version) for job in jobs for event in job.append.events}
        before = {
            (event.stream, event.version - 1)
            for job in jobs
            for event in job.append.events
            if event.version - 1 > self._reads.seen.of(event.stream)
        }
        return sorted(before - own)


def _tail_in(tail: Fields) -> Tail:
    if not tail:
        return Tail()
    found = [tail.get(name) for name in TAIL_FIELDS]
    if [type(it) for it in found] != [Int64, Int64, bytes]:
        raise NotAbleError("The log ends with a document that is no commit; `autolearn verify` shows it.")
    return Tail(tail["position"], tail["at"], tail["hash"])


class _Stored:
    """The log as it is stored."""

    def __init__(self, reads: CommitReads) -> None:
        self._reads = reads

    def version_before(self, event: RawEvent) -> int:
        return self._reads.version(event.stream)

    def holds_append(self, append_id: UUID) -> bool:
        return self._reads.append(append_id, {"_id"}) is not None


class _Seen(_Stored):
    """The log as far as it has been seen, and these versions."""

    def __init__(self, reads: CommitReads, held: set[Version]) -> None:
        super().__init__(reads)
        self._held = held

    def version_before(self, event: RawEvent) -> int:
        seen = self._reads.seen.of(event.stream)
        if event.version == seen + 1 or (event.stream, event.version - 1) in self._held:
            return event.version - 1
        return max(seen, super().version_before(event))
