"""What trainings, evaluations and reproductions have in common: look, follow, cancel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Response

from adapters.http.routes.context import Context, RouteContext, command_response
from adapters.http.routes.request_schemas import AfterQuery, WhenQuery
from adapters.http.streams.frames import EventStreamResponse, make_frame
from commands.cancel_task import CancelTask
from domain.errors import NotFoundError
from domain.values import UNFINISHED, stream_of_task

TASK_LETTERS = {"trainings": "", "evaluations": "e", "reproductions": "r"}
SUFFIX = re.compile(r"-([er])\d+\Z")
PROGRESS_SECONDS = 1.0


def add_task_routes(router: APIRouter, folder: str, schema: type[Any]) -> None:
    """Add GET and DELETE of `/<folder>/{id}`, and its events."""
    name = folder.removesuffix("s")
    key = "experiment" if folder == "trainings" else name  # of the body: the whole id of what a prefix named

    @router.get(f"/{folder}/{{id}}", name=f"show_{name}", responses={200: {"model": schema}})
    async def show(context: Context, id: str, when: WhenQuery) -> Response:
        """Show its state."""
        _check_kind(folder, id)
        return await context.query(when, lambda at: context.backend.queries.status(context.viewer, id, at))

    @router.get(f"/{folder}/{{id}}/events", name=f"follow_{name}", response_class=EventStreamResponse)
    async def follow(context: Context, id: str, after: AfterQuery) -> Response:
        """Follow it to its end: `state`, `progress` and `result` events, each sealed."""
        _check_kind(folder, id)
        await context.wait_for_position(after.after_position)
        first = await _read_status(context, id)
        return context.stream(_task_frames(context, str(first[key]), first), first["position"])

    @router.delete(f"/{folder}/{{id}}", name=f"cancel_{name}", responses={200: {"model": schema}})
    async def cancel(context: Context, id: str) -> Response:
        """Cancel it while it waits or runs."""
        _check_kind(folder, id)
        return command_response(await context.run(CancelTask(id)))


def _check_kind(folder: str, id: str) -> None:
    suffix = SUFFIX.search(id)
    if (suffix[1] if suffix else "") != TASK_LETTERS[folder]:
        raise NotFoundError.for_name(folder.removesuffix("s"), id)


async def _read_status(context: RouteContext, task: str) -> dict[str, Any]:
    return await context.pools.run(lambda: context.backend.queries.status(context.viewer, task))


async def _task_frames(context: RouteContext, task: str, body: dict[str, Any]) -> AsyncIterator[bytes]:
    """Yield `state` when it changes, `progress` each second, `result` at the end."""
    yield make_frame("state", body)
    if body["state"] in UNFINISHED:
        stream = stream_of_task(task)
        with context.shared.experiments.follow(stream):
            while body["state"] in UNFINISHED:
                news = await _next_status(context, task, stream, body)
                yield make_frame("state" if news["state"] != body["state"] else "progress", news)
                body = news
    yield make_frame("result", body)


async def _next_status(context: RouteContext, task: str, stream: str, seen: dict[str, Any]) -> dict[str, Any]:
    """Wait for the experiment to change, at most a second; what has not changed is true now, too."""
    experiments = context.shared.experiments
    has_changed = await experiments.wait(stream, seen["position"], PROGRESS_SECONDS)
    watched = experiments.position  # at once: what changes from here on is news for the next wait
    await context.check_may_go_on()
    body = await _read_status(context, task) if has_changed else seen
    return body | {"position": max(body["position"], watched)}
