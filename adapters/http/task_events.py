"""The events of one task: `state` when it changes, `progress` each second, `result` at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from adapters.http.frames import frame
from adapters.http.visit import Visit
from domain.values import UNFINISHED

TURN_SECONDS = 1.0


async def task_events(visit: Visit, task: str, first: dict[str, Any]) -> AsyncIterator[bytes]:
    """Yield frames from the state that is known until the end."""
    body = first
    yield frame("state", body)
    while body["state"] in UNFINISHED:
        told = await visit.lanes.streaming(partial(_next, visit, task, body))
        yield frame("state" if told["state"] != body["state"] else "progress", told)
        body = told
    yield frame("result", body)


def _next(visit: Visit, task: str, seen: dict[str, Any]) -> dict[str, Any]:
    """Wait for the log to grow, at most a second, and look again."""
    visit.check_still_admitted()
    visit.backend.documents.wait(seen["position"] + 1, TURN_SECONDS)
    return status_now(visit, task)


def status_now(visit: Visit, task: str) -> dict[str, Any]:
    """Return the task's object as the read models have it now."""
    return visit.backend.queries.status(visit.viewer, task)
