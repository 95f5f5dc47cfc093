"""Searches: begin one, follow its leaderboard, cancel it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, command_response
from adapters.http.routes.response_schemas import SearchList, SearchStatus, ShownSearch
from commands.training.cancel_search import CancelSearch
from commands.training.request_search import RequestSearch

router = APIRouter(tags=["training"])


@router.post("/searches", status_code=202, responses={202: {"model": SearchStatus}})
async def request_search(context: Context, body: schemas.NewSearch) -> Response:
    """Search the best settings of models, in the caller's session; answers at once."""
    answer = await context.run(RequestSearch(**dict(body)))
    return command_response(answer, 202, {"Location": f"/searches/{answer.body['search']}", "Retry-After": "1"})


@router.get("/searches", responses={200: {"model": SearchList}})
async def list_searches(context: Context, when: schemas.WhenQuery) -> Response:
    """List one's own searches, newest first."""
    return await context.query(when, lambda at: context.backend.queries.searches(context.viewer, at))


@router.get("/searches/{id}", responses={200: {"model": ShownSearch}})
async def show_search(context: Context, id: str, board: schemas.LeaderboardQuery) -> Response:
    """Show a search with its trials, the best first."""
    queries = context.backend.queries
    return await context.query(board, lambda at: queries.search(context.viewer, id, at, board.limit))


@router.delete("/searches/{id}", responses={200: {"model": SearchStatus}})
async def cancel_search(context: Context, id: str) -> Response:
    """Cancel it while it waits or runs."""
    return command_response(await context.run(CancelSearch(id)))
