"""The log in MongoDB: `commands.ports.EventStore`, for any number of processes at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from adapters.distributed.log.commit_documents import events_of, place_of, stamp_of
from adapters.distributed.log.recorder import CommitRecorder
from adapters.log.appends import KnownAppendError, append_of, receipt_of
from adapters.log.chain import GENESIS
from adapters.log.events import decode
from commands.ports import DuplicateAppend, Receipt, Stamp
from domain.errors import NotAbleError
from domain.events import Event


class MongoEventStore(CommitRecorder):
    """The log. Each append is one document, in the only place after a commit that a majority holds."""

    def append(self, events: Sequence[Event], stamp: Stamp) -> Receipt:
        """Store the events of one command together, stamped with its metadata, or nothing."""
        stamped = tuple([event.stamped(stamp.metadata) for event in events])
        try:
            document = self.store(append_of(stamped, stamp))
        except KnownAppendError:
            raise DuplicateAppend(self._known(stamp.append_id)) from None
        return receipt_of(place_of(document), stamp, stamped)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        """Return the events of a stream in order, up to the commit that covers position `until`."""
        return [decode(e["o"], e["v"], e["n"], e["s"]) for e in self.reads.events(stream, until)]

    def version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 where it has none."""
        return self.reads.version(stream)

    def streams(self, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` names of existing streams that begin so, in order."""
        return self.reads.streams(prefix, limit)

    def find_append(self, append_id: UUID) -> Receipt | None:
        """Return the append of this id."""
        document = self.reads.append(append_id)
        if document is None:
            return None
        events = events_of(document)
        return receipt_of(place_of(document), stamp_of(document, events), events)

    def head(self) -> tuple[int, bytes]:
        """Return the last commit's position and chain hash; (0, 32 zero bytes) for an empty log."""
        tail = self._succession.read_tail()
        return tail.get("position", 0), tail.get("hash", GENESIS)

    def _known(self, append_id: UUID) -> Receipt:
        receipt = self.find_append(append_id)
        if receipt is None:
            raise NotAbleError("The append was met on its way into the log and did not arrive; repeat the call.")
        return receipt
