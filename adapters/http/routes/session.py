"""Session: look at it, commit it, discard it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.query_parameters import WhichSession
from adapters.http.routes.response_schemas import Committed, Discarded, SessionView
from adapters.http.routes.route_context import Here, told
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession

router = APIRouter(tags=["session"])


@router.get("/session", responses={200: {"model": SessionView}})
async def show_session(it: Here, which: WhichSession) -> Response:
    """Show the caller's open session, an earlier one, or a list of them."""
    queries = it.backend.queries
    if which.list:
        return await it.ask(which, lambda at: queries.sessions(it.viewer, at))
    return await it.ask(which, lambda at: queries.session(it.viewer, which.session, at))


@router.post("/session/commit", responses={200: {"model": Committed}})
async def commit_session(it: Here, body: schemas.Commit) -> Response:
    """Make experiments of the session part of the history, and close it."""
    return told(await it.decide(CommitSession(body.experiments, body.message)))


@router.post("/session/discard", responses={200: {"model": Discarded}})
async def discard_session(it: Here, _: schemas.Nothing | None = None) -> Response:
    """Discard the session and everything in it."""
    return told(await it.decide(DiscardSession()))
