"""The one way to every sealed route: measure, authenticate, authorize, unseal, run, seal, record, send."""

from __future__ import annotations

import hashlib
import logging

from anyio import CancelScope
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from adapters.host.processes import resource_exhaustion
from adapters.http.app_state import AppState
from adapters.http.middleware.audit import NO_REQUEST, refused_connection_record
from adapters.http.middleware.authentication import authenticate, authorize, check_host, verify_token
from adapters.http.middleware.bodies import (
    LARGEST_JSON,
    LARGEST_SEALED,
    IncomingBody,
    check_declared_length,
    check_json,
    replay_body,
    too_large,
    with_json_headers,
)
from adapters.http.middleware.duplicates import check_headers, check_query
from adapters.http.middleware.idempotency import RequestIdClaim
from adapters.http.middleware.request_context import RequestContext
from adapters.http.middleware.response_pipeline import ResponsePipeline
from adapters.http.problems import INTERNAL, Problem, problem_of
from adapters.security.tokens import HINT
from autolearn.errors import BrokenSealError
from autolearn.protocol.headers import SEALED
from autolearn.protocol.sealing import REQUEST
from commands.call import CORRELATION
from domain.errors import AutoLearnError, ForbiddenError, NotJsonError, UnsealedBodyError

logger = logging.getLogger(__name__)

LARGE = 64 * 1024  # opening more than this would hold up the event loop for a millisecond


class RequestPipeline:
    """ASGI middleware around all routes. Nothing is sent before it is recorded, and nothing of a session unsealed."""

    def __init__(self, app: FastAPI, state: AppState) -> None:
        self.app, self.state = app, state
        self._backend, self._pools = state.backend, state.pools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            context = RequestContext.of(dict(scope))
            claim = RequestIdClaim(self._backend, self._pools, context)
            response = ResponsePipeline(self._backend, self._pools, context, send, claim)
            try:
                await self._answer(context, response, receive)
            finally:
                await self._end(context, response)

    def refuse_connection(self, problem: Problem, source: str) -> None:
        """Count what was refused before it was a call; called by the server, in the event loop."""
        self.state.metrics.observe("gate", NO_REQUEST, str(problem.status), 0.0)
        self._backend.refused_calls.count(refused_connection_record(problem, source))

    async def _end(self, context: RequestContext, response: ResponsePipeline) -> None:
        try:
            with CancelScope(shield=True):
                await response.finish()
        finally:
            context.resources.close()
            if context.caller is not None:
                self._backend.in_flight.leave(context.claims.request_id)
        if not context.is_open:
            self.state.metrics.observe(context.service, context.operation, response.outcome, context.seconds)

    async def _answer(self, context: RequestContext, response: ResponsePipeline, receive: Receive) -> None:
        try:
            check_headers(context.scope["headers"])
            if not context.is_probe:
                check_host(context.headers.get("host", ""), self._backend.hosts)
            check_declared_length(context.headers, context.body_limit)
            if context.is_open:
                check_query(context.scope["query_string"])
                await self.app(context.scope, receive, response.send)
            else:
                await self._pools.run_always(lambda: self._authenticate(context, response.claim))
                CORRELATION.set(context.claims.request_id)  # the coroutine's own, and of the threads that it waits for
                await self._run(context, response, receive)
        except ClientDisconnect:
            response.abandon()
        except AutoLearnError as refusal:
            response.refuse(problem_of(refusal))
        except Exception as failure:
            lack = resource_exhaustion(failure)  # it passes, and is not a fault
            if lack is None:
                logger.exception("%s failed", context.operation)
            else:
                logger.warning("%s lacked a resource: %s", context.operation, failure)
            response.refuse(INTERNAL if lack is None else problem_of(lack))

    async def _run(self, context: RequestContext, response: ResponsePipeline, receive: Receive) -> None:
        """Let the route answer; a repeat of what has no trace in the log gets the first answer."""
        claim = response.claim
        try:
            scope, opened = await self._open_body(context, receive)
        except AutoLearnError:
            if not claim.is_repeat:
                raise
            response.repeat(await claim.first_answer_unread())
            return
        if claim.is_repeat:
            if (first := await claim.first_answer()) is not None:
                response.repeat(first)
                return
            await self._pools.run(lambda: self._check_allowed(context))
        await self.app(scope, opened, response.send)

    def _authenticate(self, context: RequestContext, claim: RequestIdClaim) -> None:
        """Find out who calls, and whether this is allowed; of a command that was given before, the answer decides."""
        context.token = verify_token(self._backend, context.headers, context.method, context.target)
        caller = authenticate(self._backend, context.headers, context.token)
        self._backend.in_flight.enter(context.claims.request_id)
        context.caller = caller
        claim.claim()
        if not claim.is_repeat:
            self._check_allowed(context)

    def _check_allowed(self, context: RequestContext) -> None:
        """Ask the policy, and before a command make sure that it can be recorded."""
        check_query(context.scope["query_string"])
        if context.row is not None:
            authorize(context.row, context.roles)
        elif any(route.matches(context.scope)[0] is Match.FULL for route in self.app.routes):
            raise ForbiddenError("No rule allows this route.")
        if context.is_command:
            self._backend.audit_log.check_able()

    async def _open_body(self, context: RequestContext, receive: Receive) -> tuple[Scope, Receive]:
        """Return scope and `receive` for the route: a JSON body opened, a raw file as it comes."""
        context.body = IncomingBody(receive, context.body_limit, context.claims.body_sha256)
        scope = context.scope | {"state": {"context": context}}
        if context.is_upload:
            return scope, context.body.receive
        body = sealed = await context.body.read()
        if sealed:
            is_large = len(sealed) > LARGE
            body = await self._pools.run(lambda: _unseal(context, sealed)) if is_large else _unseal(context, sealed)
            scope["headers"] = with_json_headers(scope, len(body))
        context.body_sha256, context.body_is_verified = hashlib.sha256(body).hexdigest(), True
        return scope, replay_body(body, context.body.receive)


def _unseal(context: RequestContext, body: bytes) -> bytes:
    if context.headers.get("content-type", "").partition(";")[0].strip().lower() != SEALED:
        raise UnsealedBodyError(f"A JSON body travels sealed, as {SEALED}. {HINT}")
    try:
        plain = context.unseal(REQUEST, body)
    except BrokenSealError as broken:
        raise NotJsonError(str(broken)) from None
    if len(plain) > LARGEST_JSON:  # the last few bytes hide in the cipher's padding
        raise too_large(LARGEST_SEALED)
    check_json(plain)
    return plain
