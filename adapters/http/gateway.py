"""The gateway: one URL in front of the services' instances, where no reverse proxy stands (`up --mode distributed`).

It passes calls on as they are: tokens sign the raw path, and bodies are sealed, so it neither knows nor needs a key.
"""

from __future__ import annotations

import logging
from asyncio import gather
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import count

import httpx
from anyio import CancelScope, create_task_group
from anyio.abc import TaskGroup
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from adapters.http.duplex import DuplexTransport
from adapters.http.middleware.duplicates import check_headers
from adapters.http.problems import Problem, problem_of
from adapters.http.relayed import RelayedBody, Room
from adapters.http.routing import routed
from adapters.http.watch import Watch
from autolearn.protocol.headers import PROBLEM
from domain.errors import BadInputError

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

CONNECT_SECONDS, WRITE_SECONDS = 2.0, 60.0
IDLE_SECONDS = 2.0  # less than the 5 s after which uvicorn closes a connection that nobody uses
MOST_IDLE = 64
LAST_SECONDS = 30.0  # of standing still, where nobody else can be asked: it may be a busy machine
UNABLE = 503
# RFC 9110, 7.6.1: of one connection each; `expect` has been met by the time that a body is read
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade expect".split()
)
WHO_CALLED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})
OF_THE_SERVER = frozenset({b"date", b"server"})  # uvicorn writes its own


class Gateway:
    """ASGI application; `instances` names the base URLs of each service.

    Calls go round, past those that are down or stand still.
    """

    def __init__(self, instances: Mapping[str, Sequence[str]]) -> None:
        self._instances, self._turn = instances, count()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, write=WRITE_SECONDS),
            transport=DuplexTransport(MOST_IDLE, IDLE_SECONDS),
            trust_env=False,
        )
        self._watch, self._room = Watch(self._client), Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, and its answer back; when the caller hangs up, hang up as well."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        if scope["type"] != "http":
            return
        try:
            check_headers(scope["headers"])  # two of one kind: httpx refuses some, and the service would the others
        except BadInputError as refused:
            await _refuse(problem_of(refused), send)
            return
        try:
            body = await RelayedBody.of(scope, receive, self._room)
            with closing(body):
                async with create_task_group() as group:
                    group.start_soon(_leave_with_caller, body, group)
                    await self._pass_on(scope, body, send)
                    group.cancel_scope.cancel()
        except* ClientDisconnect:
            log.debug("the caller hung up")

    async def _live(self, receive: Receive, send: Send) -> None:
        """Close idle connections at the end, and watch nobody any more."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._watch.close()
        await self._client.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass_on(self, scope: Scope, body: RelayedBody, send: Send) -> None:
        service, own_path = routed(scope["path"])
        answer = await self._answer(service, _target(scope, own_path), scope, body)
        if answer is None:
            await _refuse(_nobody(service), send)
            return
        try:
            await send({"type": "http.response.start", "status": answer.status_code, "headers": _back(answer, body)})
            async for chunk in answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except httpx.TransportError as broken:  # the server closes the connection of an answer that has no end
            log.warning("%s broke off an answer: %r", service, broken)
        finally:
            await answer.aclose()

    async def _answer(self, service: str, target: bytes, scope: Scope, body: RelayedBody) -> httpx.Response | None:
        """Return the first answer; 503 only if nobody gives another. None: no instance answers."""
        if body.content is None:  # a file is sent once: not to one that stands still
            await gather(*map(self._watch.lives, self._instances[service]))
        bases = self._in_turn(service)
        answer = await self._asked(bases, target, scope, body)
        if answer is None and body.is_repeatable:
            answer = await self._asked(self._once_more(bases), target, scope, body)
        return answer

    async def _asked(
        self, bases: Sequence[str], target: bytes, scope: Scope, body: RelayedBody
    ) -> httpx.Response | None:
        """Ask one after the other; only where nobody else is left, or nobody else may be asked, silence is borne."""
        unable = None
        try:
            for base in bases:
                is_last = unable is None and (base == bases[-1] or body.content is None)
                answer = await self._sent(self._request(base, target, scope, body), base, is_last=is_last)
                if answer is not None:
                    unable, before = answer, unable
                    await _let_go(before)
                if (answer is not None and answer.status_code != UNABLE) or not body.is_repeatable:
                    break
        except BaseException:  # the caller hung up
            with CancelScope(shield=True):
                await _let_go(unable)
            raise
        return unable

    def _once_more(self, bases: Sequence[str]) -> Sequence[str]:
        """Return whom to ask again: an only one, to which the connection may be stale, or one that stood still.

        Whoever was last and stood still was waited for.
        """
        if not bases or self._watch.is_still(bases[-1]):
            return ()
        return bases if len(bases) == 1 else [base for base in bases if self._watch.is_still(base)][:1]

    def _request(self, base: str, target: bytes, scope: Scope, body: RelayedBody) -> httpx.Request:
        return httpx.Request(
            scope["method"],
            base,
            headers=_forth(scope),
            content=body.chunks() if body.content is None else body.content,
            extensions={"target": target, "timeout": self._client.timeout.as_dict()},
        )

    async def _sent(self, request: httpx.Request, base: str, *, is_last: bool) -> httpx.Response | None:
        """Return the answer of one instance. None: it is not there, or stands still."""
        answer = None
        try:
            async with create_task_group() as group:
                group.start_soon(self._leave_the_silent, base, LAST_SECONDS if is_last else 0, group)
                answer = await self._client.send(request, stream=True)
                group.cancel_scope.cancel()
        except* httpx.TransportError as broken:
            log.warning("%s does not answer: %r", base, broken.exceptions[0])
        return answer

    async def _leave_the_silent(self, base: str, patience: float, group: TaskGroup) -> None:
        await self._watch.silence(base, patience)
        group.cancel_scope.cancel()

    def _in_turn(self, service: str) -> list[str]:
        """Return the instances of now, beginning with another one each time; those that stand still come last."""
        bases = list(self._instances[service])
        first = next(self._turn) % max(len(bases), 1)
        return sorted(bases[first:] + bases[:first], key=self._watch.is_still)


async def _let_go(answer: httpx.Response | None) -> None:
    if answer is not None:
        await answer.aclose()


async def _leave_with_caller(body: RelayedBody, group: TaskGroup) -> None:
    await body.caller_left()
    group.cancel_scope.cancel()


def _target(scope: Scope, own_path: str | None) -> bytes:
    """Return path and query byte for byte as they were sent."""
    raw: bytes = scope["raw_path"] if own_path is None else own_path.encode()
    query: bytes = scope["query_string"]
    return raw + b"?" + query if query else raw


def _forth(scope: Scope) -> Headers:
    """Return the headers for the service; who called is what this process sees, not what the caller says."""
    client = scope.get("client")
    told: Headers = [(b"x-forwarded-for", client[0].encode())] if client else []
    kept = [it for it in scope["headers"] if it[0] not in HOP_BY_HOP | WHO_CALLED]
    return [(name, value.strip(b" \t")) for name, value in kept] + told  # h11 sends none with white space around it


def _back(answer: httpx.Response, body: RelayedBody) -> Headers:
    kept = [(name.lower(), value) for name, value in answer.headers.raw]
    kept = [it for it in kept if it[0] not in HOP_BY_HOP | OF_THE_SERVER]
    return kept if body.is_whole else [*kept, (b"connection", b"close")]  # nobody reads the rest of the body


def _nobody(service: str) -> Problem:
    detail = f"No process of the service {service} answers: repeat the call in a moment."
    return Problem("not-able-now", detail, headers={"Retry-After": "1"})


async def _refuse(problem: Problem, send: Send) -> None:
    told = {"content-type": PROBLEM, "content-length": str(len(problem.body)), **problem.headers}
    headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": problem.body})
