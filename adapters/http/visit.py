"""A visit: what a route has in hand. Commands go to the application, questions to the read models, off the loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from adapters.http.backend import Backend
from adapters.http.in_flight import InFlight
from adapters.http.lanes import Lanes
from adapters.http.passage import Passage
from adapters.http.preference import Preference
from adapters.http.schemas import When
from commands.call import Answer, Call
from domain.errors import ForbiddenError, NotAuthenticatedError
from projections.visibility import Viewer

JSON = "application/json"

Question = Callable[[int | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One admitted call at its route."""

    backend: Backend
    lanes: Lanes
    in_flight: InFlight
    passage: Passage

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
        return await self.lanes.quick(lambda: self.backend.application.handle(command, self.call, wait=0))

    async def begin(self, command: Any) -> Answer:
        """Run a command that waits for its task as long as the caller prefers, at most 60 s."""
        wait = self.preference.wait if self.lanes.may_wait else 0.0
        lane = self.lanes.waiting if wait else self.lanes.quick
        return await lane(lambda: self.backend.application.handle(command, self.call, wait=wait))

    async def work(self, command: Any) -> Answer:
        """Run a command whose work belongs to its call, however long it takes."""
        return await self.lanes.waiting(lambda: self.backend.application.handle(command, self.call, wait=0))

    async def ask(self, when: When, question: Question) -> Response:
        """Answer a question as of a moment (None: now), once the read models have reached `after_position`."""
        await self.reach(when.after_position)
        # A moment that is not folded in yet is waited for, by the queries themselves.
        lane = self.lanes.quick if when.as_of is None else self.lanes.waiting
        return await lane(lambda: self._asked(when.as_of, question))

    async def reach(self, position: int | None) -> None:
        """Wait until a position is folded in; raises NotReachedError after 5 s."""
        if position is None:
            return
        if await self.lanes.quick(self.backend.documents.position) >= position:
            return
        await self.lanes.waiting(lambda: self.backend.queries.wait(position))

    def check_still_admitted(self) -> None:
        """Raise NotAuthenticatedError where the caller was revoked since: streams last."""
        caller = self.passage.admitted
        client = self.backend.clients(self.call.client)
        if caller is None or not client.accepts(caller.generation, self.backend.clock.now()):
            raise NotAuthenticatedError(f"Client {client.name!r} does not count any more.")

    @property
    def preference(self) -> Preference:
        """What the caller prefers."""
        return Preference.of(self.passage.headers.get("prefer", ""))

    @property
    def wants_events(self) -> bool:
        """Whether progress is welcome."""
        return "text/event-stream" in self.passage.headers.get("accept", "")

    def _asked(self, as_of: str | None, question: Question) -> Response:
        if as_of is None:
            body = question(None)
        else:
            moment = self.backend.queries.moment(as_of)
            body = question(moment.position)
            notes = [note for note in (moment.note, body.get("note")) if note]
            body |= {"note": " ".join(notes)} if notes else {}
        return answered(body, body["position"])


def answered(body: Any, position: int, status: int = 200, **headers: str) -> Response:
    """Return a JSON answer that says for which position it is true."""
    shown = {"AutoLearn-Position": str(position)} | {name.replace("_", "-"): value for name, value in headers.items()}
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
    return Visit(state.backend, state.lanes, state.in_flight, passage)


Here = Annotated[Visit, Depends(visiting)]
