"""The event log in MongoDB: `commands.ports.EventStore`, for any number of processes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from adapters.distributed.log.commit_schema import EVENT_LOG, from_document
from adapters.distributed.log.sequenced_appender import SequencedAppender
from adapters.distributed.log.stream_index import StreamIndex, Version
from adapters.distributed.log.tail_watcher import tail_watcher_of
from adapters.distributed.mongo import Mongo
from adapters.log.appends import Append, AppendPlan, KnownAppendError, append_of, stored_append
from adapters.log.chain import LastEntry
from adapters.log.events import decode
from adapters.log.group_commit import Pending
from adapters.log.times import microseconds_now
from commands.ports import AppendHeader, DuplicateAppend, StoredAppend, VersionConflict
from domain.errors import NotAbleError
from domain.events import Event
from projections.ports import RawCommit, RawEvent

Job = Pending[Append, RawCommit]


class MongoEventStore:
    """Each append is one document, in the only place after a commit that a majority holds.

    `now` gives microseconds and may go back without harm. Makes the collection and its indexes, unless told not to.
    """

    def __init__(self, mongo: Mongo, now: Callable[[], int] = microseconds_now, *, make: bool = True) -> None:
        self._streams = StreamIndex(mongo, make=make)
        self._watcher = tail_watcher_of(mongo, EVENT_LOG.name, EVENT_LOG.position)
        planner = MongoCommitPlanner(self._streams, now)
        self._appender = SequencedAppender(self._streams.collection, EVENT_LOG, planner)

    def append(self, events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        complete = tuple([event.with_metadata(header.metadata) for event in events])
        try:
            commit = self._appender.append(append_of(complete, header))
        except KnownAppendError:
            raise DuplicateAppend(self._known(header.append_id)) from None
        self._streams.seen.note([(event.stream, event.version) for event in commit.events])
        self._watcher.reach(commit.position)
        return stored_append(commit, header, complete)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        return [decode(e["o"], e["v"], e["n"], e["s"]) for e in self._streams.events(stream, until)]

    def version(self, stream: str) -> int:
        return self._streams.version(stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        return self._streams.streams(prefix, limit)

    def find_append(self, append_id: UUID) -> StoredAppend | None:
        document = self._streams.append(append_id)
        if document is None:
            return None
        commit = from_document(document)
        events = tuple([decode(*event) for event in commit.events])
        return stored_append(
            commit, AppendHeader(commit.command_id, append_id, events[0].metadata, commit.digest), events
        )

    def end(self) -> tuple[int, bytes]:
        last = self._appender.read_last()
        return last.position, last.hash

    def _known(self, append_id: UUID) -> StoredAppend:
        appended = self.find_append(append_id)
        if appended is None:
            raise NotAbleError("The append was met on its way into the log and did not arrive; repeat the call.")
        return appended


class MongoCommitPlanner:
    """Plans trust the unique keys: an append goes in without a question, except whether it leaves a hole."""

    def __init__(self, streams: StreamIndex, now: Callable[[], int]) -> None:
        self._streams, self._now = streams, now

    def plan(self, last: LastEntry, jobs: Sequence[Job]) -> list[tuple[Job, RawCommit]]:
        log = _SeenVersionsFirst(self._streams, self._streams.held(self._unproven(jobs)))
        return AppendPlan(log, last, self._now(), trusting=True).add_all(jobs)

    def refusal(self, job: Job) -> Exception | None:
        try:
            AppendPlan(_AsStored(self._streams), LastEntry(), 0, trusting=False).check(job.input)
        except (KnownAppendError, VersionConflict) as refusal:
            return refusal
        return None

    def _unproven(self, jobs: Sequence[Job]) -> list[Version]:
        """Return the versions that must be in the log lest the appends leave holes, and that nobody has seen yet."""
        events = [event for job in jobs for event in job.input.events]
        before = {(it.stream, it.version - 1) for it in events if it.version - 1 > self._streams.seen.of(it.stream)}
        return sorted(before - {(it.stream, it.version) for it in events})


class _AsStored:
    def __init__(self, streams: StreamIndex) -> None:
        self._streams = streams

    def version_before(self, event: RawEvent) -> int:
        return self._streams.version(event.stream)

    def holds_append(self, append_id: UUID) -> bool:
        return self._streams.append(append_id, {"_id"}) is not None


class _SeenVersionsFirst(_AsStored):
    """Asks only about versions that this process has not seen in the log, and that are not among the `held` ones."""

    def __init__(self, streams: StreamIndex, held: set[Version]) -> None:
        super().__init__(streams)
        self._held = held

    def version_before(self, event: RawEvent) -> int:
        seen = self._streams.seen.of(event.stream)
        if event.version == seen + 1 or (event.stream, event.version - 1) in self._held:
            return event.version - 1
        return max(seen, super().version_before(event))
