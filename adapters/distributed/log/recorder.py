"""The `eventsourcing` library's application recorder on the collection of commits: one document for every insert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    ListenNotifySubscription,
    Notification,
    StoredEvent,
    Subscription,
)
from pymongo import ASCENDING

from adapters.distributed.log.commit_appender import CommitLine, Pending
from adapters.distributed.log.commit_documents import COMMITS, TAIL_FIELDS, stored_of
from adapters.distributed.log.commit_reads import CommitReads
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.sequenced_appender import Succession
from adapters.distributed.tail_watcher import growth_of
from adapters.log.appends import Append, append_of_stored, stream_of
from adapters.log.times import microseconds_now

FOR_EVER: Final = 2**62


class CommitRecorder(ApplicationRecorder):
    """Stores appends in commits, in order, durably; `now` gives microseconds and may go back without harm.

    Makes the collection and its indexes, unless told not to. Any number of processes may write.
    """

    def __init__(self, mongo: Mongo, now: Callable[[], int] = microseconds_now, *, make: bool = True) -> None:
        self.reads = CommitReads(mongo, make=make)
        self.growth = growth_of(mongo, COMMITS, "position")
        self._succession = Succession(self.reads.collection, CommitLine(self.reads, now), TAIL_FIELDS)

    def store(self, append: Append) -> Fields:
        """Store the append, together with others that are waiting; return its document or raise its refusal."""
        document = self._succession.submit(Pending(append))
        self.reads.seen.note([(event.stream, event.version) for event in append.events])
        self.growth.reach(document["position"])
        return document

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Store events as the library asks for it, in one commit; returns their positions."""
        if not stored_events:
            return []
        document = self.store(append_of_stored(stored_events))
        return list(range(document["_id"], document["position"] + 1))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return events of a stream with versions in (gt, lte], in order or in the opposite one."""
        least, most = -FOR_EVER if gt is None else gt, FOR_EVER if lte is None else lte
        events = [e for e in self.reads.events(stream_of(originator_id)) if least < e["v"] <= most]
        return [stored_of(e) for e in (events[::-1] if desc else events)[:limit]]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return up to `limit` events from `start` to `stop`, of these topics where any are named."""
        first = (start or 0) + (0 if inclusive_of_start else 1)
        last = FOR_EVER if stop is None else stop
        chosen: list[Notification] = []
        for notification in self._notifications(first, limit):
            if notification.id > last or len(chosen) == limit:
                break
            if notification.id >= first and (not topics or notification.topic in topics):
                chosen.append(notification)
        return chosen

    def max_notification_id(self) -> int | None:
        """Return the last position; None for an empty log."""
        return self._succession.read_tail().get("position")

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follow the log from a position on, woken by the commits of every process."""
        return _Follower(self, gt, topics)

    def _notifications(self, first: int, together: int) -> Iterator[Notification]:
        commits = self.reads.collection.find({"position": {"$gte": first}}, {"position": 1, "e": 1})
        with as_ours(), commits.sort("position", ASCENDING).batch_size(together + 1) as found:
            for document in found:
                for id, e in enumerate(document["e"], document["_id"]):
                    yield Notification(
                        id=id, originator_id=e["o"], originator_version=e["v"], topic=e["n"], state=e["s"]
                    )


class _Follower(ListenNotifySubscription[CommitRecorder]):
    """The library's subscription; it only needs to be told when there is more."""

    def __init__(self, recorder: CommitRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        recorder.growth.tell(self._has_been_notified.set)

    def stop(self) -> None:
        self._recorder.growth.tell_no_more(self._has_been_notified.set)
        super().stop()
