"""What a route has in hand: commands go to the application, questions to the read models, both off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, BinaryIO, TypeVar

from anyio import CancelScope
from fastapi import Depends, Request, Response
from starlette.requests import ClientDisconnect

from adapters.http.app_state import AppState
from adapters.http.backend import Backend
from adapters.http.middleware.limits import ThreadPools
from adapters.http.middleware.request_context import RequestContext
from adapters.http.routes.request_schemas import When
from adapters.http.streams.frames import event_stream
from autolearn.protocol.headers import EVENT_STREAM, HEAD, JSON, LAG, POSITION
from commands.application import SYNC_SECONDS, RunningCommand
from commands.call import Answer, Call
from commands.cancellation import Cancellation
from commands.ports import BlobMissing
from domain.errors import AutoLearnError, ForbiddenError, NotAbleError, NotReachedError
from projections.as_of import AsOfPosition
from projections.visibility import Viewer

T = TypeVar("T")

CHECKED_BLOCK = 256 * 1024  # bytes
REACHED_WITHIN = 5.0  # seconds
WAIT = re.compile(r"wait\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)

Question = Callable[[int | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RouteContext:
    """One authenticated call at its route."""

    http: Request
    shared: AppState
    request: RequestContext

    @property
    def backend(self) -> Backend:
        return self.shared.backend

    @property
    def pools(self) -> ThreadPools:
        return self.shared.pools

    @property
    def call(self) -> Call:
        return self.request.call

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.request.client, tuple(sorted(self.request.roles)))

    # -- commands ------------------------------------------------------------------------------------------------------

    async def run(self, command: Any) -> Answer:
        """Run a command that answers at once."""
        return await self.pools.run(lambda: self._begin(command).answer())

    async def run_task(self, command: Any, wait: float) -> Answer:
        """Run a command and wait at most so many seconds for its task; the wait has no thread."""
        with ExitStack() as waiting:
            try:
                waiting.enter_context(self.shared.waits.take(self.request.client))
            except NotAbleError:
                wait = 0.0
            running = await self.pools.run(lambda: self._begin(command, wait))
            if wait:
                await wait_for_end(running, wait)
        return await self.pools.run(running.answer_now)

    async def run_long(self, command: Any) -> Answer:
        """Run a command whose work belongs to its call, however long it takes."""
        return await self.pools.run_long(lambda: self._begin(command).answer())

    def _begin(self, command: Any, wait: float = 0.0) -> RunningCommand:
        running = self.backend.application.begin(command, self.call, wait=wait)
        self.request.is_in_log = running.appended is not None
        return running

    # -- questions -----------------------------------------------------------------------------------------------------

    async def query(self, when: When, question: Question) -> Response:
        """Answer a question as of a moment (None: now), once the read models have reached `after_position`.

        As of now, the answer tells what the read models lack, if that is more than a second of load makes.
        """
        await self.wait_for_position(when.after_position)
        moment: AsOfPosition | None = None

        def answer() -> Response:
            nonlocal moment
            told: dict[str, str] = {}
            if when.as_of is None:
                body = question(None)
                told = self._lag_of(body["position"])
            else:
                moment = moment or self.backend.queries.as_of(when.as_of)  # one position, however often it is asked
                body = question(moment.position)
                notes = [note for note in (moment.note, body.get("note")) if note]
                body |= {"note": " ".join(notes)} if notes else {}
            return json_response(body, body["position"], headers=told)

        return await self.read(answer)

    def _lag_of(self, position: int) -> dict[str, str]:
        with suppress(AutoLearnError):  # the answer is there: it is told without
            if value := self.shared.lag.recent().header_value(position):
                return {LAG: value}
        return {}

    async def read(self, look: Callable[[], T]) -> T:
        """Look, and once more where a position that the log has must be folded in first."""
        try:
            return await self.pools.run(look)
        except NotReachedError as too_early:
            await self.wait_for_position(too_early.facts["asked"])
        return await self.pools.run(look)

    async def wait_for_position(self, position: int | None) -> None:
        """Wait until a position is folded in, without a thread; raises NotReachedError.

        After 5 s, and at once for a position that the log does not have.
        """
        if position is None:
            return
        check = partial(self.backend.queries.check_reached, position)
        try:
            await self.pools.run(check)
        except NotReachedError as too_early:
            if position > too_early.facts["head"]:
                raise
            with self.shared.waits.take(self.request.client):
                if not await self.shared.read_models.wait(position, REACHED_WITHIN):
                    await self.pools.run(check)

    def open_blob(self, sha256: str, what: str) -> BinaryIO:
        """Open a stored file at its beginning, once its digest is checked; raises NotAbleError if it was changed."""
        damaged = NotAbleError(f"The stored {what} is missing or was changed: `autolearn verify` says more.")
        try:
            file = self.backend.blobs.open(sha256)
        except BlobMissing:
            raise damaged from None
        digest = hashlib.sha256()
        while block := file.read(CHECKED_BLOCK):
            digest.update(block)
        if digest.hexdigest() != sha256:
            file.close()
            raise damaged
        file.seek(0)
        return file

    # -- streams, and calls that last ----------------------------------------------------------------------------------

    @property
    def wants_events(self) -> bool:
        return EVENT_STREAM in self.request.headers.get("accept", "")

    def stream(self, frames: AsyncIterator[bytes], position: int | None = None) -> Response:
        """Answer with events as they come, while the caller has its share of streams; raises TooManyError."""
        self.request.resources.enter_context(self.shared.streams.take(self.request.client))
        return event_stream(frames, self.shared.frame_pacer, position)

    async def check_may_go_on(self) -> None:
        """Raise NotAbleError once the process is to stop, NotAuthenticatedError where the caller was revoked since."""
        if self.backend.application.is_ending:
            raise NotAbleError("The backend is stopping: follow it again once it runs.")
        if self.request.caller is not None:
            await self.shared.stream_authentication.check(self.request.caller)

    async def while_connected(self, cancellation: Cancellation, work: Callable[[], Awaitable[T]]) -> T:
        """Do what belongs to a call whose body is whole; a caller who hangs up cancels it: raises ClientDisconnect."""

        async def cancel_when_gone() -> None:
            while (await self.http.receive())["type"] != "http.disconnect":
                pass
            cancellation.request()
            scope.cancel()

        with CancelScope() as scope:
            watching = asyncio.ensure_future(cancel_when_gone())
            try:
                return await work()
            except AutoLearnError:
                if scope.cancel_called:
                    raise ClientDisconnect from None
                raise
            finally:
                watching.cancel()
        raise ClientDisconnect


async def route_context(request: Request) -> RouteContext:
    """Return the context of an authenticated call; raises ForbiddenError where the policy meant another route."""
    context: RequestContext = request.state.context
    if context.row is None or context.row.template != request.scope["route"].path:
        raise ForbiddenError("No rule allows this route.")
    return RouteContext(request, request.app.state.shared, context)


Context = Annotated[RouteContext, Depends(route_context)]


async def wait_for_end(running: RunningCommand, most: float) -> None:
    """Wait for the end of a command's task, as far as it runs here; the thread that watches the task tells it."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(over.set)

    running.add_end_listener(tell)
    try:
        async with asyncio.timeout(most):
            await over.wait()
    except TimeoutError:
        pass
    finally:
        running.remove_end_listener(tell)


def json_response(body: Any, position: int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer that says for which position it is true."""
    return Response(json.dumps(body, ensure_ascii=False), status, {POSITION: str(position)} | (headers or {}), JSON)


def command_response(answer: Answer, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return what a command answers, with its position and head."""
    return json_response(answer.body, answer.position, status, {HEAD: answer.head} | (headers or {}))


async def task_response(context: RouteContext, command: Any, folder: str, key: str) -> Response:
    """Run a command that begins a task, and wait as the caller prefers: 201 for a task that has ended, else 202."""
    wait, applied = read_preference(context.request.headers.get("prefer", ""))
    answer = await context.run_task(command, wait)
    headers = {"Location": f"/{folder}/{answer.body[key]}"} | ({"Preference-Applied": applied} if applied else {})
    if answer.pending is None:
        return command_response(answer, 201, headers)
    return command_response(answer, 202, {"Retry-After": "1"} | headers)


def read_preference(header: str) -> tuple[float, str]:
    """Read `Prefer: respond-async, wait=10` (RFC 7240): seconds to wait for a task, and what was understood of it."""
    parts = [part.strip() for part in header.split(",")]
    waits = [match for part in parts if (match := WAIT.fullmatch(part))]
    is_async = any(part.lower() == "respond-async" for part in parts)
    applied = (["respond-async"] if is_async else []) + [f"wait={match[1]}" for match in waits[:1]]
    wait = float(waits[0][1]) if waits else 0.0 if is_async else SYNC_SECONDS
    return min(wait, SYNC_SECONDS), ", ".join(applied)
