"""Session: look at it, commit it, discard it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, command_response
from adapters.http.routes.response_schemas import Committed, Discarded, SessionView
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession

router = APIRouter(tags=["session"])


@router.get("/session", responses={200: {"model": SessionView}})
async def show_session(context: Context, which: schemas.WhichSessionQuery) -> Response:
    """Show the caller's open session, an earlier one, or a list of them."""
    queries = context.backend.queries
    if which.list:
        return await context.query(which, lambda at: queries.sessions(context.viewer, at))
    return await context.query(which, lambda at: queries.session(context.viewer, which.session, at))


@router.post("/session/commit", responses={200: {"model": Committed}})
async def commit_session(context: Context, body: schemas.Commit) -> Response:
    """Make experiments of the session part of the history, and close it."""
    return command_response(await context.run(CommitSession(body.experiments, body.message)))


@router.post("/session/discard", responses={200: {"model": Discarded}})
async def discard_session(context: Context, _: schemas.Nothing | None = None) -> Response:
    """Discard the session and everything in it."""
    return command_response(await context.run(DiscardSession()))
