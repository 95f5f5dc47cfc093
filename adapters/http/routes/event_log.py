"""The event log: where in it one can look."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context
from adapters.http.routes.response_schemas import Positions

router = APIRouter(tags=["storage"])


@router.get("/positions", responses={200: {"model": Positions}})
async def show_positions(context: Context, when: schemas.WhenQuery) -> Response:
    """Tell position, time and head of a moment, where the log ends, and the newest commits of sessions."""
    return await context.query(when, context.backend.queries.positions)
