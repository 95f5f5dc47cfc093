"""The gate: the one way to every sealed route. Measure, authenticate, authorise, unseal, run, seal, archive, send."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from anyio import CancelScope, create_task_group, sleep
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from adapters.host.processes import resource_exhaustion
from adapters.http.backend import Backend
from adapters.http.metrics import Metrics
from adapters.http.middleware.authentication import admit, authorise, check_host, prove
from adapters.http.middleware.bodies import (
    LARGEST_JSON,
    LARGEST_SEALED,
    GoneError,
    IncomingBody,
    check_declared,
    checked_json,
    replayed,
    too_large,
    with_json_headers,
)
from adapters.http.middleware.duplicates import check_headers, check_query
from adapters.http.middleware.idempotency import FirstUse
from adapters.http.middleware.request_context import NO_REQUEST, Passage, refused_connection
from adapters.http.middleware.response_pipeline import Outlet
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.problems import INTERNAL, Problem, problem_of
from adapters.security.tokens import HINT
from autolearn.errors import BrokenSealError
from autolearn.protocol.headers import SEALED
from autolearn.protocol.sealing import REQUEST, unseal
from domain.errors import AutoLearnError, ForbiddenError, NotJsonError, UnsealedBodyError

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0  # between two looks at what was counted
LARGE = 64 * 1024  # opening more than this would hold up the event loop for a millisecond


class Gate:
    """ASGI application around the routes. Nothing is sent before it is archived, and nothing of a session unsealed.

    `knows` says whether the routes would answer a scope: what they would, and the policy does not name, is refused.
    """

    def __init__(
        self, app: FastAPI, knows: Callable[[Scope], bool], backend: Backend, lanes: Lanes, metrics: Metrics
    ) -> None:
        self.app, self.knows, self.backend, self.lanes, self.metrics = app, knows, backend, lanes, metrics
        self.in_flight = backend.in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or answer it with a problem."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            passage = Passage.of(dict(scope))
            outlet = Outlet(self.backend, self.lanes, passage, send, FirstUse(self.backend, self.lanes, passage))
            try:
                await self._answer(passage, outlet, receive)
            finally:
                await self._end(passage, outlet)

    def refuse_connection(self, problem: Problem, source: str) -> None:
        """Count what was refused before it was a call; called by the server, in the event loop."""
        self.metrics.observe("gate", NO_REQUEST, str(problem.status), 0.0)
        self.backend.refused_calls.count(refused_connection(problem, source))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store what is counted of refused calls, every second as far as there is room, and all of it at the end."""

        async def ending(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                group.cancel_scope.cancel()
                with CancelScope(shield=True):
                    await self.lanes.certain(self.backend.refused_calls.finish)
                    await send(message)
            else:
                await send(message)

        async with create_task_group() as group:
            group.start_soon(self._flush)
            await self.app(scope, receive, ending)

    async def _flush(self) -> None:
        while True:
            await sleep(FLUSH_SECONDS)
            if self.backend.refused_calls.is_due:
                await self.lanes.certain(self.backend.refused_calls.flush)

    async def _end(self, passage: Passage, outlet: Outlet) -> None:
        try:
            with CancelScope(shield=True):
                await outlet.finish()
        finally:
            passage.held.close()
            if passage.admitted is not None:
                self.in_flight.leave(passage.admitted.claims.request_id)
        if not passage.is_open:
            self.metrics.observe(passage.service, passage.operation, outlet.outcome, passage.seconds)

    async def _answer(self, passage: Passage, outlet: Outlet, receive: Receive) -> None:
        try:
            check_headers(passage.scope["headers"])
            check_host(passage.headers.get("host", ""), self.backend.hosts)
            check_declared(passage.headers, passage.limit)
            if passage.is_open:
                check_query(passage.scope["query_string"])
                await self.app(passage.scope, receive, outlet.send)
            else:
                await self.lanes.certain(lambda: self._admit(passage, outlet.first_use))
                await self._run(passage, outlet, receive)
        except GoneError:
            outlet.abandon()
        except AutoLearnError as refusal:
            outlet.refuse(problem_of(refusal))
        except Exception as failure:
            lack = resource_exhaustion(failure)  # it passes, and is no fault
            if lack is None:
                log.exception("%s", passage.operation)
            else:
                log.warning("%s: %s", passage.operation, failure)
            outlet.refuse(INTERNAL if lack is None else problem_of(lack))

    async def _run(self, passage: Passage, outlet: Outlet, receive: Receive) -> None:
        """Let the route answer; a repeat of what has no trace in the log gets the first answer."""
        first_use = outlet.first_use
        try:
            scope, opened = await self._opened(passage, receive)
        except AutoLearnError:
            if not first_use.is_repeat:
                raise
            outlet.repeat(await first_use.answer_unread())
            return
        if first_use.is_repeat:
            if (first := await first_use.answer()) is not None:
                outlet.repeat(first)
                return
            await self.lanes.quick(lambda: self._check_allowed(passage))
        await self.app(scope, opened, outlet.send)

    def _admit(self, passage: Passage, first_use: FirstUse) -> None:
        """Prove the caller, and let in what is allowed; of a command that was given before, the answer decides."""
        passage.proof = prove(self.backend, passage.headers, passage.method, passage.target)
        admitted = admit(self.backend, passage.headers, passage.proof)
        self.in_flight.enter(admitted.claims.request_id)
        passage.admitted = admitted
        first_use.claim()
        if not first_use.is_repeat:
            self._check_allowed(passage)

    def _check_allowed(self, passage: Passage) -> None:
        """Ask the policy, and before a command make sure that it can be archived."""
        check_query(passage.scope["query_string"])
        if passage.row is not None:
            authorise(passage.row, passage.roles)
        elif self.knows(passage.scope):
            raise ForbiddenError("No rule allows this route.")
        if passage.is_command:
            self.backend.communications.check_able()

    async def _opened(self, passage: Passage, receive: Receive) -> tuple[Scope, Receive]:
        """Return scope and `receive` for the route: a JSON body opened, a raw file as it comes."""
        claims = passage.claims
        passage.incoming = IncomingBody(receive, passage.limit, claims.body_sha256)
        scope = passage.scope | {"autolearn": passage}
        if passage.row is not None and passage.row.upload:
            return scope, passage.incoming.receive
        body = await passage.incoming.read()
        if body:
            large = len(body) > LARGE
            body = await self.lanes.quick(lambda: _unsealed(passage, body)) if large else _unsealed(passage, body)
            scope["headers"] = with_json_headers(scope, len(body))
        passage.digest_in, passage.is_read = hashlib.sha256(body).hexdigest(), True
        return scope, replayed(body, passage.incoming.receive)


def _unsealed(passage: Passage, body: bytes) -> bytes:
    if passage.headers.get("content-type", "").partition(";")[0].strip().lower() != SEALED:
        raise UnsealedBodyError(f"A JSON body travels sealed, as {SEALED}. {HINT}")
    claims, key = passage.claims, passage.key
    try:
        plain = unseal(key, REQUEST, claims.request_id, passage.method, passage.target, body)
    except BrokenSealError as broken:
        raise NotJsonError(str(broken)) from None
    if len(plain) > LARGEST_JSON:  # the last few bytes hide in the cipher's padding
        raise too_large(LARGEST_SEALED)
    checked_json(plain)
    return plain
