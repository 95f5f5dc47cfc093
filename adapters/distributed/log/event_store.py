"""The log in MongoDB: `commands.ports.EventStore`, for any number of processes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from adapters.distributed.log.commit_appender import CommitLine, PendingDocument
from adapters.distributed.log.commit_documents import COMMITS, TAIL_FIELDS, events_of, raw_of, stamp_of
from adapters.distributed.log.commit_reads import CommitReads
from adapters.distributed.mongo import Mongo
from adapters.distributed.sequenced_appender import Succession
from adapters.distributed.tail_watcher import growth_of
from adapters.log.appends import KnownAppendError, append_of, receipt_of
from adapters.log.chain import GENESIS
from adapters.log.events import decode
from adapters.log.times import microseconds_now
from commands.ports import DuplicateAppend, Receipt, Stamp
from domain.errors import NotAbleError
from domain.events import Event


class MongoEventStore:
    """The log. Each append is one document, in the only place after a commit that a majority holds.

    `now` gives microseconds and may go back without harm. Makes the collection and its indexes, unless told not to.
    """

    def __init__(self, mongo: Mongo, now: Callable[[], int] = microseconds_now, *, make: bool = True) -> None:
        self.reads = CommitReads(mongo, make=make)
        self.growth = growth_of(mongo, COMMITS, "position")
        self._succession = Succession(self.reads.collection, CommitLine(self.reads, now), TAIL_FIELDS)

    def append(self, events: Sequence[Event], stamp: Stamp) -> Receipt:
        """Store the events of one command together, stamped with its metadata, or nothing."""
        stamped = tuple([event.stamped(stamp.metadata) for event in events])
        job = PendingDocument(append_of(stamped, stamp))
        try:
            document = self._succession.submit(job)
        except KnownAppendError:
            raise DuplicateAppend(self._known(stamp.append_id)) from None
        self.reads.seen.note([(event.stream, event.version) for event in job.append.events])
        self.growth.reach(document["position"])
        return receipt_of(raw_of(document), stamp, stamped)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        return [decode(e["o"], e["v"], e["n"], e["s"]) for e in self.reads.events(stream, until)]

    def version(self, stream: str) -> int:
        return self.reads.version(stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        return self.reads.streams(prefix, limit)

    def find_append(self, append_id: UUID) -> Receipt | None:
        document = self.reads.append(append_id)
        if document is None:
            return None
        events = events_of(document)
        return receipt_of(raw_of(document), stamp_of(document, events), events)

    def head(self) -> tuple[int, bytes]:
        tail = self._succession.read_tail()
        return tail.get("position", 0), tail.get("hash", GENESIS)

    def _known(self, append_id: UUID) -> Receipt:
        receipt = self.find_append(append_id)
        if receipt is None:
            raise NotAbleError("The append was met on its way into the log and did not arrive; repeat the call.")
        return receipt
