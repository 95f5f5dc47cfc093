"""What trainings, evaluations and reproductions have in common: look, follow, cancel."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Response

from adapters.http.routes.query_parameters import After, When
from adapters.http.routes.route_context import Here, told
from adapters.http.routes.task_events import status_now, task_events
from adapters.http.streams.event_streams import EventStreamResponse
from commands.training.cancel_task import CancelTask
from domain.errors import NotFoundError

KINDS = {"trainings": "", "evaluations": "e", "reproductions": "r"}
MARK = re.compile(r"-([er])\d+\Z")


def add_task_routes(router: APIRouter, folder: str, shape: type[Any]) -> None:
    """Add GET and DELETE of `/<folder>/{id}`, and its events."""
    name = folder.removesuffix("s")

    @router.get(f"/{folder}/{{id}}", name=f"show_{name}", responses={200: {"model": shape}})
    async def show(it: Here, id: str, when: When) -> Response:
        """Show its state."""
        _check_kind(folder, id)
        return await it.ask(when, lambda at: it.backend.queries.status(it.viewer, id, at))

    @router.get(f"/{folder}/{{id}}/events", name=f"follow_{name}", response_class=EventStreamResponse)
    async def follow(it: Here, id: str, after: After) -> Response:
        """Follow it to its end: `state`, `progress` and `result` events, each sealed."""
        _check_kind(folder, id)
        await it.reach(after.after_position)
        first = await it.lanes.quick(lambda: status_now(it, id))
        return it.open_stream(task_events(it, first_id(first, folder), first), first["position"])

    @router.delete(f"/{folder}/{{id}}", name=f"cancel_{name}", responses={200: {"model": shape}})
    async def cancel(it: Here, id: str) -> Response:
        """Cancel it while it waits or runs."""
        _check_kind(folder, id)
        return told(await it.decide(CancelTask(id)))


def first_id(body: dict[str, Any], folder: str) -> str:
    """Return the whole id of a task that was named by a beginning."""
    return str(body[{"trainings": "experiment"}.get(folder, folder.removesuffix("s"))])


def _check_kind(folder: str, id: str) -> None:
    mark = MARK.search(id)
    if (mark[1] if mark else "") != KINDS[folder]:
        raise NotFoundError.named(folder.removesuffix("s"), id)
