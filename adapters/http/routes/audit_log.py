"""The audit log, for sys-admins: page by page, or as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from adapters.audit_log.filters import EQUAL, TIMES, check_words
from adapters.http.backend import Backend
from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, RouteContext, json_response
from adapters.http.routes.response_schemas import LogView
from adapters.http.streams.frames import EventStreamResponse
from adapters.http.streams.watches import to_jsonable
from domain.errors import BadCursorError
from projections.as_of import TIMES as TIME_FORMS
from projections.as_of import parse_time
from projections.ports import StoredAuditRecord

router = APIRouter(tags=["storage"])

FRAMES_AT_ONCE = 16  # where a stream is behind


@router.get("/log", responses={200: {"model": LogView}})
async def read_log(context: Context, page: schemas.LogPageQuery) -> Response:
    """Tell who called what, when, and how it went; newest first."""
    await context.wait_for_position(page.after_position)
    return await context.pools.run(lambda: _read_page(context, page))


@router.get("/log/events", response_class=EventStreamResponse)
async def follow_log(context: Context, wanted: schemas.LogEventsQuery) -> Response:
    """Follow the log: one `communication` event each, sealed, until the caller hangs up."""
    filters = _filters_of(wanted, context.backend)
    after = wanted.after
    if after is None:
        after = await context.pools.run(lambda: _last_before(context.backend, filters.get("since")))
    return context.stream(_frames(context, filters, after))


def _read_page(context: RouteContext, page: schemas.LogPage) -> Response:
    backend, client = context.backend, context.request.client
    filters, before = _filters_of(page, backend), None
    asked = _asked(page)  # an age means another time on each page: what was written is compared
    if page.cursor is not None:
        payload: Any = backend.cursors.open(page.cursor)
        if not isinstance(payload, dict) or payload.get("log") != client:
            raise BadCursorError("This cursor is of another client or of another question.")
        payload = {"asked": payload["filters"]} | payload  # cursors of the release before had no `asked`
        if asked and asked != payload["asked"]:
            raise BadCursorError("This cursor was made for other filters: repeat those, or leave them out.")
        filters, asked, before = payload["filters"], payload["asked"], payload["before"]
    rows = backend.audit_log.page(filters, before, page.limit)
    cursor = None
    if len(rows) == page.limit:
        rest = {"filters": filters, "asked": asked, "before": rows[-1].position}
        cursor = backend.cursors.sign({"log": client} | rest)
    body = {"communications": [to_jsonable(row) for row in rows], "next": cursor}
    return json_response(body, backend.feed.end()[0])


def _asked(given: schemas.LogFilter) -> dict[str, str]:
    """Return the filters as they were written."""
    return {name: value for name in (*EQUAL, *TIMES) if (value := getattr(given, name)) is not None}


def _filters_of(given: schemas.LogFilter, backend: Backend) -> dict[str, str]:
    """Return the filters that were given; times as ISO timestamps in UTC."""
    named = {name: value for name in EQUAL if (value := getattr(given, name)) is not None}
    check_words(named)
    times = {name: value for name in TIMES if (value := getattr(given, name)) is not None}
    now = backend.clock.now()
    return named | {name: parse_time(value, now, TIME_FORMS).isoformat() for name, value in times.items()}


def _last_before(backend: Backend, since: str | None) -> int:
    """Return the position of the last record, or of the last one before a time."""
    if since is None:
        recent = backend.audit_log.recent(0)
        return recent[-1].position if recent else 0
    before = datetime.fromisoformat(since) - timedelta(microseconds=1)
    earlier = backend.audit_log.page({"until": before.isoformat()}, None, 1)
    return earlier[0].position if earlier else 0


async def _frames(context: RouteContext, filters: dict[str, str], position: int) -> AsyncIterator[bytes]:
    while True:
        entries = await context.shared.audit_log.after(position)
        await context.check_may_go_on()
        frames = [entry.frame for entry in entries if _matches(entry.record, filters)]
        for begin in range(0, len(frames), FRAMES_AT_ONCE):
            yield b"".join(frames[begin : begin + FRAMES_AT_ONCE])
        position = entries[-1].position if entries else position


def _matches(record: StoredAuditRecord, filters: dict[str, str]) -> bool:
    """Whether a record passes: what the store does for pages, for the ones that stream by."""
    if not all(str(getattr(record.content, name)) == filters[name] for name in EQUAL if name in filters):
        return False
    since, until = (datetime.fromisoformat(filters[name]) if name in filters else record.at for name in TIMES)
    return since <= record.at <= until
