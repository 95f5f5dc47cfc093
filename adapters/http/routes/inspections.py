"""Inspections, for sys-admins: replay, verify, rebuild, in a process of their own; one answer, or events as it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.query_parameters import Replay
from adapters.http.routes.response_schemas import Rebuilt, ReplayView, Verification
from adapters.http.routes.route_context import Here, Visit, answered
from adapters.http.routes.upload import while_connected
from adapters.http.streams.event_streams import as_events
from adapters.http.streams.frames import frame
from commands.cancellation import Cancellation
from domain.errors import NotAbleError
from projections.rebuild import check_known

router = APIRouter(tags=["storage"])

Step = dict[str, Any]


@router.get("/replay", responses={200: {"model": ReplayView}})
async def replay(it: Here, request: Request, what: Replay) -> Response:
    """Compute the state at a moment from the log alone, and hold it against the read models."""
    _take_part(it)
    await it.reach(what.after_position)
    return await _inspected(it, request, "replay", {"as_of": what.as_of, "stream": what.stream})


@router.post("/verifications", responses={200: {"model": Verification}})
async def verify(it: Here, request: Request, body: schemas.Anchor) -> Response:
    """Check chain, read models, blobs, communications and, where asked, the topics of Kafka; report all faults."""
    _take_part(it)
    # First the head, then who is in flight: a call that appended up to there is still in flight, or archived.
    position, head = await it.lanes.quick(it.backend.feed.head)
    elsewhere = await it.lanes.waiting(it.backend.in_flight_elsewhere)
    in_flight = [*it.in_flight.correlations(), *elsewhere]
    given = {"anchor": body.anchor, "audit_anchor": body.audit_anchor, "against": body.against}
    state = {"until": f"{position}:{head.hex()}", "in_flight": in_flight}
    return await _inspected(it, request, "verify", given | state)


@router.post("/rebuilds", responses={200: {"model": Rebuilt}})
async def rebuild(it: Here, request: Request, body: schemas.Rebuild) -> Response:
    """Compute one read model, or all, anew from the log, while the old ones serve."""
    _take_part(it)
    check_known(body.projection)
    return await _inspected(it, request, "rebuild", {"projection": body.projection})


def _take_part(visit: Visit) -> None:
    """Have one of the inspections until the call is over; raises NotAbleError where there are as many as slots."""
    visit.passage.held.enter_context(visit.live.inspections.taking(visit.call.client))


async def _inspected(visit: Visit, request: Request, kind: str, arguments: dict[str, Any]) -> Response:
    cancellation = Cancellation()
    visit.passage.held.callback(cancellation.request)  # whatever ends the call ends the process
    steps = visit.backend.inspector.run(kind, arguments, cancellation)

    async def next_step(_: Cancellation) -> Step:
        return await visit.lanes.waiting(partial(_step, steps))

    # The first step is taken before anything is answered: a refusal is a problem, not an event.
    first = await while_connected(request, next_step, cancellation)
    if visit.wants_events:
        return as_events(_events(visit, first, steps), visit.live.pace)

    async def last_step(_: Cancellation) -> Step:
        return await visit.lanes.waiting(lambda: _last(first, steps))

    result = await while_connected(request, last_step, cancellation)
    position = result.get("position", await visit.lanes.quick(lambda: visit.backend.feed.head()[0]))
    return answered(result, position)


async def _events(visit: Visit, first: Step, steps: Iterator[Step]) -> AsyncIterator[bytes]:
    step = first
    while "result" not in step:
        yield frame("progress", step)
        step = await visit.lanes.waiting(partial(_step, steps), abandon=True)
    yield frame("result", step["result"])


def _step(steps: Iterator[Step]) -> Step:
    step = next(steps, None)
    if step is None:
        raise NotAbleError("The inspection ended without a result.")
    return step


def _last(first: Step, steps: Iterator[Step]) -> dict[str, Any]:
    step = first
    while "result" not in step:
        step = _step(steps)
    result: dict[str, Any] = step["result"]
    return result
