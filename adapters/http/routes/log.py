"""Log, for sys-admins: the archived communications, page by page or as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.log_filter import LogQuestion, filters_of, matches
from adapters.http.routes.query_parameters import LogEvents, LogPage
from adapters.http.routes.response_schemas import LogView
from adapters.http.routes.route_context import Here, Visit, answered
from adapters.http.streams.event_streams import EventStreamResponse
from adapters.http.streams.log_feed import told

router = APIRouter(tags=["storage"])

TOGETHER = 16  # frames that leave at once, where a stream is behind


@router.get("/log", responses={200: {"model": LogView}})
async def read_log(it: Here, page: LogPage) -> Response:
    """Tell who called what, when, and how it went; newest first."""
    await it.reach(page.after_position)
    return await it.lanes.quick(lambda: _page(it, page))


@router.get("/log/events", response_class=EventStreamResponse)
async def follow_log(it: Here, wanted: LogEvents) -> Response:
    """Follow the log: one `communication` event each, sealed, until the caller hangs up."""
    filters = filters_of(wanted, it.backend)
    since = filters.get("since")
    after = wanted.after if wanted.after is not None else await it.lanes.quick(lambda: _last(it, since))
    return it.open_stream(_communications(it, filters, after))


def _page(visit: Visit, page: schemas.LogPage) -> Response:
    question = LogQuestion.of(page, visit.backend, visit.viewer.client)
    rows = visit.backend.communications.page(question.filters, question.before, page.limit)
    following = question.cursor_after(rows[-1].position) if len(rows) == page.limit else None
    body = {"communications": [told(row) for row in rows], "next": following}
    return answered(body, visit.backend.feed.head()[0])


def _last(visit: Visit, since: str | None) -> int:
    """Return the position of the last record, or of the last one before a time."""
    communications = visit.backend.communications
    if since is None:
        recent = communications.recent(0)
        return recent[-1].position if recent else 0
    before = datetime.fromisoformat(since) - timedelta(microseconds=1)
    earlier = communications.page({"until": before.isoformat()}, None, 1)
    return earlier[0].position if earlier else 0


async def _communications(visit: Visit, filters: dict[str, str], after: int) -> AsyncIterator[bytes]:
    place = after
    with visit.live.log.following():
        while True:
            entries = await visit.live.log.after(place)
            await visit.check_still_admitted()
            frames = [entry.frame for entry in entries if matches(entry.record, filters)]
            for begin in range(0, len(frames), TOGETHER):
                yield b"".join(frames[begin : begin + TOGETHER])
            place = entries[-1].position if entries else place
