"""The event log: where in it one can look, and its events."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context
from adapters.http.routes.response_schemas import Events, Positions
from projections.event_answers import EventRequest

router = APIRouter(tags=["storage"])


@router.get("/positions", responses={200: {"model": Positions}})
async def show_positions(context: Context, when: schemas.WhenQuery) -> Response:
    """Tell position, time and head of a moment, where the log ends, and the newest commits of sessions."""
    return await context.query(when, context.backend.queries.positions)


@router.get("/events", responses={200: {"model": Events}})
async def list_events(context: Context, wanted: schemas.EventSearchQuery) -> Response:
    """List events with all their facts: of a stream with what each changed, of a call, or of the whole log."""
    backend, newest = context.backend, wanted.order == "newest"
    request = EventRequest(wanted.stream, wanted.correlation, wanted.after, wanted.before, wanted.limit, newest)
    return await context.query(
        wanted, lambda at: backend.queries.events(context.viewer, request, backend.audit_log, at)
    )
