"""The `eventsourcing` library's recorder interface on our ports, so that the library's own suites test any adapter.

The product does not use the library's recorders (docs/decisions/10-blank-aggregates.md). Its suites ask for much that
the ports promise too: order, positions without holes, concurrent writers, subscribers that miss nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    StoredEvent,
    Subscription,
)

from commands.ports import EventStore, VersionConflict
from domain.errors import NotAbleError
from domain.events import Event
from domain.experiment_events import ExperimentAnnotated
from projections.ports import Feed
from tests.contracts.events import header

PAGE = 500
FOR_EVER = 2**62


class PortRecorder(ApplicationRecorder):
    """One commit for every insert. The library's versions may begin at 0, ours begin at 1."""

    def __init__(self, store: EventStore, feed: Feed) -> None:
        self.store, self.feed = store, feed

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        if not stored_events:
            return []
        try:
            appended = self.store.append([_event(stored) for stored in stored_events], header())
        except VersionConflict as conflict:
            raise IntegrityError from conflict
        return list(range(appended.first, appended.position + 1))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        least, most = -1 if gt is None else gt, FOR_EVER if lte is None else lte
        events = [_stored(event) for event in self.store.stream(str(originator_id))]
        chosen = [it for it in events if least < it.originator_version <= most]
        return (chosen[::-1] if desc else chosen)[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first, last = (start or 0) + (0 if inclusive_of_start else 1), FOR_EVER if stop is None else stop
        chosen: list[Notification] = []
        position = self.feed.commit_at(max(first - 1, 0)).position
        while len(chosen) < limit and position < last and (recorded := self.feed.after(position, PAGE)):
            position = recorded[-1].position
            for one in recorded:
                notification = _notification(one.position, one.event)
                if first <= one.position <= last and (not topics or notification.topic in topics):
                    chosen.append(notification)
        return chosen[:limit]

    def max_notification_id(self) -> int | None:
        return self.feed.end()[0] or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        return FeedSubscription(self, gt, topics)


class FeedSubscription(ListenNotifySubscription[PortRecorder]):
    """The library's subscription, woken by the feed."""

    def __init__(self, recorder: PortRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        Thread(target=self._watch, args=(recorder.feed,), daemon=True).start()

    def _watch(self, feed: Feed) -> None:
        position = 0
        with suppress(NotAbleError):  # a suite may close the store before it stops the subscription
            while not self._has_been_stopped:
                if feed.wait_beyond(position, 0.1):
                    position = feed.end()[0]
                    self._has_been_notified.set()


class PortAggregateRecorder(PortRecorder):
    """The suite of aggregate recorders demands that they do not tell positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


def _event(stored: StoredEvent) -> Event:
    return ExperimentAnnotated(
        originator_id=str(stored.originator_id),
        originator_version=stored.originator_version + 1,
        text=json.dumps([stored.topic, stored.state.hex()]),
        reason="r",
    )


def _stored(event: Event) -> StoredEvent:
    assert isinstance(event, ExperimentAnnotated)
    topic, state = json.loads(event.text)
    return StoredEvent(event.originator_id, event.originator_version - 1, topic, bytes.fromhex(state))


def _notification(position: int, event: Event) -> Notification:
    it = _stored(event)
    return Notification(it.originator_id, it.originator_version, it.topic, it.state, position)
