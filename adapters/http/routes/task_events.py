"""The events of one task: `state` when it changes, `progress` each second, `result` at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from adapters.http.routes.route_context import Visit
from adapters.http.streams.changes import News
from adapters.http.streams.frames import frame
from domain.values import UNFINISHED, experiment_of, experiment_stream

TURN_SECONDS = 1.0


async def task_events(visit: Visit, task: str, first: dict[str, Any]) -> AsyncIterator[bytes]:
    """Yield frames from the state that is known until the end."""
    body = first
    yield frame("state", body)
    if body["state"] in UNFINISHED:
        with visit.live.changes.following(experiment_stream(experiment_of(task))) as news:
            while body["state"] in UNFINISHED:
                told = await _next(visit, task, body, news)
                yield frame("state" if told["state"] != body["state"] else "progress", told)
                body = told
    yield frame("result", body)


async def _next(visit: Visit, task: str, seen: dict[str, Any], news: News) -> dict[str, Any]:
    """Wait for the experiment to change, at most a second; what has not changed is true now, too."""
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await news.wait()
    except TimeoutError:
        await visit.check_still_admitted()
        return seen | {"position": max(seen["position"], visit.live.changes.position)}
    news.clear()
    await visit.check_still_admitted()
    return await visit.lanes.quick(lambda: status_now(visit, task))


def status_now(visit: Visit, task: str) -> dict[str, Any]:
    """Return the task's object as the read models have it now."""
    return visit.backend.queries.status(visit.viewer, task)
