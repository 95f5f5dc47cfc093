"""Inspections, for sys-admins: replay, verify, rebuild, in a process of their own; one answer, or events as it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from threading import Event as Signal
from typing import Any

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, RouteContext, json_response
from adapters.http.routes.response_schemas import Rebuilt, ReplayView, Verification
from adapters.http.streams.frames import event_stream, make_frame
from commands.cancellation import Cancellation
from domain.errors import NotAbleError
from projections.rebuild import check_known

router = APIRouter(tags=["storage"])

Step = dict[str, Any]


@router.get("/replay", responses={200: {"model": ReplayView}})
async def replay(context: Context, what: schemas.ReplayQuery) -> Response:
    """Compute the state at a moment from the log alone, and hold it against the read models."""
    _take_slot(context)
    await context.wait_for_position(what.after_position)
    return await _inspect(context, "replay", {"as_of": what.as_of, "stream": what.stream})


@router.post("/verifications", responses={200: {"model": Verification}})
async def verify(context: Context, body: schemas.Anchor) -> Response:
    """Check chain, read models, blobs, the audit log and, where asked, the topics of Kafka; report all faults."""
    _take_slot(context)
    # First the end, then who is in flight: a call that appended up to there is still in flight, or recorded.
    position, head = await context.pools.run(context.backend.feed.end)
    elsewhere = await context.pools.run_long(lambda: context.backend.in_flight_elsewhere(Signal()))
    arguments = {
        "anchor": body.anchor,
        "audit_anchor": body.audit_anchor,
        "against": body.against,
        "until": f"{position}:{head.hex()}",
        "in_flight": [*context.backend.in_flight.correlations(), *elsewhere],
    }
    return await _inspect(context, "verify", arguments)


@router.post("/rebuilds", responses={200: {"model": Rebuilt}})
async def rebuild(context: Context, body: schemas.Rebuild) -> Response:
    """Compute one read model, or all, anew from the log, while the old ones serve."""
    _take_slot(context)
    check_known(body.projection)
    return await _inspect(context, "rebuild", {"projection": body.projection})


def _take_slot(context: RouteContext) -> None:
    """Have one of the inspections until the call is over; raises NotAbleError where there are as many as slots."""
    context.request.resources.enter_context(context.shared.inspections.take(context.request.client))


async def _inspect(context: RouteContext, kind: str, arguments: dict[str, Any]) -> Response:
    cancellation = Cancellation()
    context.request.resources.callback(cancellation.request)  # whatever ends the call ends the process
    steps = context.backend.inspector.run(kind, arguments, cancellation)

    def next_step() -> Step:
        step = next(steps, None)
        if step is None:
            raise NotAbleError("The inspection ended without a result.")
        return step

    def last_step() -> Step:
        step = first
        while "result" not in step:
            step = next_step()
        return step

    async def frames() -> AsyncIterator[bytes]:
        step = first
        while "result" not in step:
            yield make_frame("progress", step)
            step = await context.pools.run_long(next_step, abandon=True)
        yield make_frame("result", step["result"])

    # The first step is taken before anything is answered: a refusal is a problem, not an event.
    first = await context.while_connected(cancellation, lambda: context.pools.run_long(next_step))
    if context.wants_events:
        return event_stream(frames(), context.shared.frame_pacer)
    last = await context.while_connected(cancellation, lambda: context.pools.run_long(last_step))
    result: dict[str, Any] = last["result"]
    position = result.get("position", await context.pools.run(lambda: context.backend.feed.end()[0]))
    return json_response(result, position)
