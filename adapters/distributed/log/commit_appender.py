"""The line of commits: which appends may follow the tail, and why a unique key refused one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bson.int64 import Int64
from eventsourcing.persistence import IntegrityError

from adapters.distributed.log.commit_documents import TAIL_FIELDS, place_of, to_document
from adapters.distributed.log.commit_reads import CommitReads
from adapters.distributed.mongo import Fields
from adapters.log.appends import START, Append, KnownAppendError, Place, Version, next_place
from commands.ports import VersionConflict
from domain.errors import NotAbleError
from projections.ports import RawEvent


@dataclass(slots=True, eq=False)
class Pending:
    """An append that waits for its place."""

    append: Append
    document: Fields | None = None
    refusal: Exception | None = None


class CommitLine:
    """Plans trust the unique keys: an append goes in without a question, except whether it leaves a hole."""

    def __init__(self, reads: CommitReads, now: Callable[[], int]) -> None:
        self._reads, self._now = reads, now

    def follow(self, tail: Fields, jobs: Sequence[Pending]) -> list[tuple[Pending, Fields]]:
        """Return the documents of the appends that may follow; others get their refusal."""
        plan = _Plan(self._reads, self._reads.held(self._unproven(jobs)))
        last, now = _last_place(tail), self._now()
        planned = []
        for job in jobs:
            job.refusal = plan.refusal(job.append)
            if job.refusal is None:
                last = self._placed(plan, last, job.append, now)
                planned.append((job, to_document(job.append, last)))
        return planned

    def blame(self, job: Pending) -> Exception | None:
        """Say what the log holds that the append's unique keys met."""
        if self._reads.append(job.append.append_id, {"_id"}) is not None:
            return KnownAppendError()
        try:
            job.append.rule(_AsStored(self._reads), job.append)
        except (VersionConflict, IntegrityError) as refusal:
            return refusal
        return None

    def _placed(self, plan: _Plan, tail: Place, append: Append, now: int) -> Place:
        plan.note(append)
        return next_place(tail, append, now)

    def _unproven(self, jobs: Sequence[Pending]) -> list[Version]:
        """Return the versions that must be in the log lest the appends leave holes, and that nobody has seen yet."""
        own = {(event.stream, event.version) for job in jobs for event in job.append.events}
        before = {
            (event.stream, event.version - 1)
            for job in jobs
            for event in job.append.events
            if event.version - 1 > self._reads.seen.of(event.stream)
        }
        return sorted(before - own)


def _last_place(tail: Fields) -> Place:
    if not tail:
        return START
    kinds = [type(tail.get(name)) for name in TAIL_FIELDS]
    if kinds != [Int64, Int64, bytes]:
        raise NotAbleError("The log ends with a document that is no commit; `autolearn verify` shows it.")
    return place_of(tail)


class _AsStored:
    """The log as it is stored."""

    def __init__(self, reads: CommitReads) -> None:
        self._reads = reads

    def version_before(self, event: RawEvent) -> int:
        return self._reads.version(event.stream)

    def is_taken(self, version: Version) -> bool:
        return version in self._reads.held([version])


@dataclass(slots=True)
class _Plan:
    """The log with the appends that are planned; what it does not know of the log, the unique keys will say."""

    reads: CommitReads
    held: set[Version]
    _ids: set[UUID] = field(default_factory=set)
    _versions: dict[str, int] = field(default_factory=dict)
    _taken: set[Version] = field(default_factory=set)

    def refusal(self, append: Append) -> Exception | None:
        """Return why the append cannot follow; the repeat of a known append is one, whatever else is wrong with it."""
        if append.append_id in self._ids:
            return KnownAppendError()
        try:
            append.rule(self, append)
        except (VersionConflict, IntegrityError) as refusal:
            known = self.reads.append(append.append_id, {"_id"}) is not None
            return KnownAppendError() if known else refusal
        return None

    def note(self, append: Append) -> None:
        self._ids.add(append.append_id)
        for event in append.events:
            self._versions[event.stream] = max(event.version, self._versions.get(event.stream, 0))
            self._taken.add((event.stream, event.version))

    def version_before(self, event: RawEvent) -> int:
        planned = self._versions.get(event.stream)
        if planned is not None:
            return planned
        seen = self.reads.seen.of(event.stream)
        if event.version == seen + 1 or (event.stream, event.version - 1) in self.held:
            return event.version - 1
        return max(seen, self.reads.version(event.stream))

    def is_taken(self, version: Version) -> bool:
        return version in self._taken
