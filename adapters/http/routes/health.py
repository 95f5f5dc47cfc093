"""Health and metrics: plain, for machines that have no credentials; they tell nothing of any session."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from adapters.http.backend import Backend
from adapters.http.metrics import Lag
from autolearn.protocol.headers import JSON
from domain.errors import AutoLearnError

router = APIRouter(tags=["health"])


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
    facts = await shared.pools.run(lambda: readiness(shared.backend))
    return Response(json.dumps(facts), 200 if facts["status"] == "ready" else 503, media_type=JSON)


@router.get("/metrics", response_class=Exposition)
async def metrics(request: Request) -> Response:
    """Give the metrics of this process in Prometheus' text format."""
    shared = request.app.state.shared
    return Exposition(await shared.pools.run(shared.metrics.page))


def readiness(backend: Backend) -> dict[str, Any]:
    """Return status (ready, not-ready), the log's position, the lag, and whether the stores answer, else the fault."""
    try:
        with backend.short_timeout():
            lag, fault = Lag.measure(backend), without_reason(backend.fault())
            try:
                backend.audit_log.check_able()
            except AutoLearnError as refusal:
                fault = fault or refusal.sentence
    except AutoLearnError as trouble:
        return {"status": "not-ready", "fault": trouble.sentence}
    facts = {"position": lag.log_position, "lag_events": lag.events, "lag_seconds": round(lag.seconds, 3)}
    return {"status": "ready" if fault is None else "not-ready", **facts, "fault": fault}


def without_reason(fault: str | None) -> str | None:
    """Say where it stands still, not why: the reason may quote what belongs to a session."""
    if fault is None or not fault.startswith("position "):
        return fault
    where = fault.partition(":")[0]
    return f"The read models stand still at {where}: the backend's own log says why."
