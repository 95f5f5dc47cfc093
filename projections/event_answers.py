"""What is answered about events of the log: whole facts, of one stream, of one call, or of all, page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import ForbiddenError, NotFoundError
from projections.correlated_events import correlated_events
from projections.jsonable import to_jsonable
from projections.ports import OPEN, PAGE_ROWS, AuditLog, Body, Documents, Feed, Recorded
from projections.stream_changes import changes_of
from projections.streams import find_stream
from projections.visibility import Viewer

MOST_EVENTS: Final = 500  # of a page
MOST_CHARACTERS: Final = 4 * 1024 * 1024  # of the JSON of a page's events; the event that goes beyond is its last one
NOT_FACTS: Final = {"originator_id", "originator_version", "metadata"}


@dataclass(frozen=True, slots=True)
class EventRequest:
    """Which events: of a stream, of a call (`correlation`), or all; those between two positions, both left out."""

    stream: str | None = None
    correlation: str | None = None
    after: int = 0
    before: int | None = None
    limit: int = PAGE_ROWS
    newest: bool = False


@dataclass(frozen=True, slots=True)
class EventAnswers:
    documents: Documents
    feed: Feed
    audit_log: AuditLog

    def page(self, viewer: Viewer, request: EventRequest, at: int) -> Body:
        """Return `{events, next, position}`, of a stream with its whole name as `stream`.

        `next` is what `after` (newest first: `before`) is for the next page, else None. Raises NotFoundError,
        AmbiguousIdError, ForbiddenError.
        """
        if not viewer.is_sysadmin and (request.stream is None or request.correlation is not None):
            raise ForbiddenError("The whole log, and events by correlation, are for sys-admins: name a stream.")
        told: Body = {}
        if request.stream is not None:
            told["stream"] = stream = find_stream(self.documents, viewer, request.stream, at)
            whole = self.feed.of_stream(stream, at)
            if not whole:
                raise NotFoundError.for_name("stream", stream)
            chosen = [one for one in whole if request.correlation in (None, one.event.metadata.correlation)]
            page, next_ = self._cut(_between(chosen, request, at), request)
            changes = changes_of(self.documents, stream, whole, {one.position for one in page})
            events = [_event(one) | {"changed": changes[one.position]} for one in page]
        else:
            recorded, told = self._recorded(request, at)
            page, next_ = self._cut(recorded, request)
            events = [_event(one) for one in page]
        fitting = _fit(events)
        if len(fitting) < len(events):
            next_ = fitting[-1]["position"]
        return {"events": fitting, "next": next_, "position": at} | told

    def _recorded(self, request: EventRequest, at: int) -> tuple[list[Recorded], Body]:
        """Return events in order, one more than fits on the page where there are more; and a note, if any."""
        if request.correlation is not None:
            found = correlated_events(self.feed, self.audit_log, request.correlation, at)
            note = f"The audit log has no record of {request.correlation!r}: a call gets its own when it has ended."
            return _between(found or [], request, at), {} if found is not None else {"note": note}
        low, high = request.after, _last(request, at)
        wanted = request.limit + 1  # positions have no holes
        low, high = (max(low, high - wanted), high) if request.newest else (low, min(high, low + wanted))
        recorded = list[Recorded]()
        position = low
        while position < high and (found := self.feed.after(position, high - position)):
            recorded += (one for one in found if low < one.position <= high)
            position = found[-1].position
        return recorded, {}

    def _cut(self, recorded: Sequence[Recorded], request: EventRequest) -> tuple[Sequence[Recorded], int | None]:
        """Return the page in the order that was asked for, and the position from which the next one goes on."""
        ordered = recorded[::-1] if request.newest else recorded
        page = ordered[: request.limit]
        return page, page[-1].position if len(ordered) > len(page) else None


def _last(request: EventRequest, at: int) -> int:
    return min(at, (OPEN if request.before is None else request.before) - 1)


def _between(recorded: Sequence[Recorded], request: EventRequest, at: int) -> list[Recorded]:
    return [one for one in recorded if request.after < one.position <= _last(request, at)]


def _fit(events: list[Body]) -> list[Body]:
    """Return as many events, at least one, as an answer can carry."""
    room = MOST_CHARACTERS
    for number, event in enumerate(events, 1):
        room -= len(json.dumps(event))
        if room <= 0:
            return events[:number]
    return events


def _event(recorded: Recorded) -> Body:
    event, metadata = recorded.event, recorded.event.metadata
    facts: Body = to_jsonable(event.model_dump(exclude=NOT_FACTS, mode="json"))
    return {
        "position": recorded.position,
        "commit": recorded.commit,
        "at": recorded.at.isoformat(),
        "stream": event.originator_id,
        "version": event.originator_version,
        "type": event.NAME.rpartition(".")[0],
        "actor": metadata.actor,
        "correlation": metadata.correlation,
        "causation": metadata.causation,
        "reason": facts.get("reason"),
        "facts": facts,
    }
