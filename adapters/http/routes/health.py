"""Health and metrics: plain, for machines that have no credentials; they tell nothing of any session."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from adapters.http.backend import Backend
from adapters.http.read_model_lag import LagMeter
from autolearn.protocol.headers import JSON
from domain.errors import AutoLearnError

router = APIRouter(tags=["health"])

READY, CATCHING_UP, NOT_READY = "ready", "catching-up", "not-ready"
# Addresses of servers (HOST:PORT, IPv4, IPv6 in brackets) and absolute paths.
PLACE: Final = re.compile(
    r"\[[0-9a-fA-F:.]+\](:\d+)?|\b[\w.-]+:\d{2,5}\b|\b\d{1,3}(\.\d{1,3}){3}\b|(?<![\w.])/[\w.~-]+(/[\w.~-]*)*"
)


class Exposition(Response):
    """Prometheus' text format."""

    media_type = "text/plain; version=0.0.4"


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"description": "not ready; the body says why"}})
async def ready(request: Request) -> Response:
    """Say whether commands would be accepted and read models follow."""
    shared = request.app.state.shared
    facts = await shared.pools.run(lambda: readiness(shared.backend, shared.lag))
    return Response(json.dumps(facts), 503 if facts["status"] == NOT_READY else 200, media_type=JSON)


@router.get("/metrics", response_class=Exposition)
async def metrics(request: Request) -> Response:
    """Give the metrics of this process in Prometheus' text format."""
    shared = request.app.state.shared
    return Exposition(await shared.pools.run(shared.metrics.page))


def readiness(backend: Backend, meter: LagMeter | None = None) -> dict[str, Any]:
    """Return status (ready, catching-up, not-ready), the log's position, the lag, and the fault if there is one.

    While read models catch up, commands are accepted and answers say how old they are. So that is no reason to send
    no calls here: all instances have the same read models.
    """
    try:
        with backend.short_timeout():
            lag, remark = (meter or LagMeter(backend)).measure(), backend.remark()
            fault = backend.fault() or backend.blobs.fault
            try:
                backend.audit_log.check_able()
            except AutoLearnError as refusal:
                fault = fault or refusal.sentence
    except AutoLearnError as trouble:
        return {"status": NOT_READY, "fault": for_strangers(trouble.sentence)}
    facts = {"position": lag.log_position, "lag_events": lag.events, "lag_seconds": round(lag.seconds, 3)}
    status = NOT_READY if fault is not None else CATCHING_UP if lag.is_behind else READY
    known = {"catching_up": lag.sentence, "fault": for_strangers(fault)}
    return {"status": status, **facts, **known, **remarked(remark)}


def remarked(remark: str | None) -> dict[str, str]:
    """Return a remark as a member of the answer, which has none where there is none."""
    return {} if remark is None else {"remark": remark}


def for_strangers(fault: str | None) -> str | None:
    """Return a fault without what only an operator may know: who asks for health has shown no credentials.

    Of a position where the read models stand still it leaves the reason out, which may quote what belongs to a session;
    of other sentences addresses and paths. The process' own log has all of it.
    """
    if fault is None:
        return None
    if fault.startswith("position "):
        where = fault.partition(":")[0]
        return f"The read models stand still at {where}: the backend's own log says why."
    return PLACE.sub("…", fault)
