"""A visit: what a route has in hand. Commands go to the application, questions to the read models, off the loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response

from adapters.http.backend import Backend
from adapters.http.middleware.in_flight import InFlight
from adapters.http.middleware.request_context import Passage
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.routes.preference import Preference
from adapters.http.routes.request_schemas import When
from adapters.http.streams.event_streams import as_events
from adapters.http.streams.live import Live
from autolearn.protocol.headers import EVENT_STREAM, POSITION
from commands.application import RunningCommand
from commands.call import Answer, Call
from domain.errors import ForbiddenError, NotAbleError, NotReachedError
from projections.as_of import AsOfPosition
from projections.queries import Queries
from projections.visibility import Viewer

T = TypeVar("T")

JSON = "application/json"
REACHED_WITHIN = 5.0  # seconds

Question = Callable[[int | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One admitted call at its route."""

    backend: Backend
    lanes: Lanes
    in_flight: InFlight
    passage: Passage
    live: Live

    @property
    def call(self) -> Call:
        """The call as commands know it."""
        return self.passage.call

    @property
    def viewer(self) -> Viewer:
        """Who looks."""
        call = self.passage.call
        return Viewer(call.client, tuple(sorted(call.roles)))

    async def decide(self, command: Any) -> Answer:
        """Run a command that answers at once."""
        return await self.lanes.quick(lambda: self._begun(command).answer())

    async def begin(self, command: Any) -> Answer:
        """Run a command that waits for its task as long as the caller prefers, at most 60 s; the wait has no thread."""
        wait = self.preference.wait
        with ExitStack() as waiting:
            try:
                waiting.enter_context(self.live.waits.taking(self.call.client))
            except NotAbleError:
                wait = 0.0
            begun = await self.lanes.quick(lambda: self._begun(command, wait))
            if wait:
                await ended(begun, wait)
        return await self.lanes.quick(begun.answer_now)

    async def work(self, command: Any) -> Answer:
        """Run a command whose work belongs to its call, however long it takes."""
        return await self.lanes.waiting(lambda: self._begun(command).answer())

    def _begun(self, command: Any, wait: float = 0.0) -> RunningCommand:
        begun = self.backend.application.begin(command, self.call, wait=wait)
        self.passage.is_in_log = begun.receipt is not None
        return begun

    async def ask(self, when: When, question: Question) -> Response:
        """Answer a question as of a moment (None: now), once the read models have reached `after_position`."""
        await self.reach(when.after_position)
        asked = AsOf(self.backend.queries, when.as_of)
        return await self.once_reached(lambda: asked.answer(question))

    async def once_reached(self, look: Callable[[], T]) -> T:
        """Look, and once more where a position that the log has must be folded in first."""
        try:
            return await self.lanes.quick(look)
        except NotReachedError as too_early:
            await self.reach(too_early.facts["asked"])
        return await self.lanes.quick(look)

    async def reach(self, position: int | None) -> None:
        """Wait until a position is folded in, without a thread; raises NotReachedError.

        After 5 s, and at once for a position that the log does not have.
        """
        if position is None:
            return
        check = partial(self.backend.queries.check_reached, position)
        try:
            await self.lanes.quick(check)
        except NotReachedError as too_early:
            if position > too_early.facts["head"]:
                raise
            with self.live.waits.taking(self.call.client):
                if not await self.live.reach.wait(position, REACHED_WITHIN):
                    await self.lanes.quick(check)

    async def check_still_admitted(self) -> None:
        """Raise NotAuthenticatedError where the caller was revoked since: streams last."""
        if self.passage.admitted is not None:
            await self.live.admissions.check(self.passage.admitted)

    def open_stream(self, frames: AsyncIterator[bytes], position: int | None = None) -> Response:
        """Answer with events as they come, while the caller has its share of streams; raises TooManyError."""
        self.passage.held.enter_context(self.live.streams.taking(self.call.client))
        return as_events(frames, self.live.pace, position)

    @property
    def preference(self) -> Preference:
        """What the caller prefers."""
        return Preference.of(self.passage.headers.get("prefer", ""))

    @property
    def wants_events(self) -> bool:
        """Whether progress is welcome."""
        return EVENT_STREAM in self.passage.headers.get("accept", "")


class AsOf:
    """The moment that a question is about: it means one position, however often it is looked up."""

    def __init__(self, queries: Queries, as_of: str | None) -> None:
        self._queries, self._as_of = queries, as_of
        self._moment: AsOfPosition | None = None

    def answer(self, question: Question) -> Response:
        """Ask a question as of it (None: now)."""
        if self._as_of is None:
            body = question(None)
        else:
            moment = self._moment = self._moment or self._queries.as_of(self._as_of)
            body = question(moment.position)
            notes = [note for note in (moment.note, body.get("note")) if note]
            body |= {"note": " ".join(notes)} if notes else {}
        return answered(body, body["position"])


async def ended(begun: RunningCommand, most: float) -> None:
    """Wait for the end of a command's task, as far as it runs here; it is told by the thread that watches it."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(over.set)

    begun.add_end_listener(tell)
    try:
        async with asyncio.timeout(most):
            await over.wait()
    except TimeoutError:
        pass
    finally:
        begun.remove_end_listener(tell)


def answered(body: Any, position: int, status: int = 200, **headers: str) -> Response:
    """Return a JSON answer that says for which position it is true."""
    shown = {POSITION: str(position)} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(body, ensure_ascii=False), status, shown, JSON)


def told(answer: Answer, status: int = 200, **headers: str) -> Response:
    """Return what a command answers, with its receipt."""
    return answered(answer.body, answer.position, status, AutoLearn_Head=answer.head, **headers)


def told_of_task(visit: Visit, answer: Answer, folder: str, task: str) -> Response:
    """Return 201 for a task that has ended, 202 for one that goes on; both say where it is."""
    applied = visit.preference.applied
    headers = {"Location": f"/{folder}/{task}"} | ({"Preference_Applied": applied} if applied else {})
    if answer.pending is None:
        return told(answer, 201, **headers)
    return told(answer, 202, Retry_After="1", **headers)


async def visiting(request: Request) -> Visit:
    """Return the visit of an admitted request; raises ForbiddenError where the policy meant another route."""
    passage: Passage = request.scope["autolearn"]
    route = request.scope["route"]
    if passage.row is None or passage.row.template != route.path:
        raise ForbiddenError("No rule allows this route.")
    state = request.app.state
    return Visit(state.backend, state.lanes, state.in_flight, passage, state.live)


Here = Annotated[Visit, Depends(visiting)]
