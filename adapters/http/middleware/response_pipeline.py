"""The way out: an answer is held until it is sealed and recorded; a stream is recorded as it opens and closes."""

from __future__ import annotations

import hashlib
import logging
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from adapters.audit_log.request_ids import FirstAnswer, Trace
from adapters.host.processes import resource_exhaustion
from adapters.http.backend import Backend
from adapters.http.middleware.audit import call_record
from adapters.http.middleware.idempotency import RequestIdClaim
from adapters.http.middleware.limits import ThreadPools
from adapters.http.middleware.request_context import RequestContext
from adapters.http.problems import INTERNAL, Problem, problem_of
from adapters.http.streams.frames import seal_frame, split_frames
from autolearn.protocol.answer_facts import ONLY_SEALED, AnswerFacts, is_sealed
from autolearn.protocol.headers import (
    AUDIT,
    EVENT_STREAM,
    FILE_SHA256,
    HEAD,
    POSITION,
    PROBLEM,
    RAW,
    REQUEST_ID,
    SEAL,
    SEALED,
)
from autolearn.protocol.sealing import RESPONSE, event_purpose
from domain.errors import AutoLearnError, NotAbleError, OutcomeRecordedError
from projections.ports import AuditRecord

logger = logging.getLogger(__name__)

GONE = "gone"  # the outcome of a call whose caller hung up before its body was whole
FIRST_ERROR = 400
CONTENT_TYPE = "content-type"


@dataclass(slots=True)
class PendingResponse:
    """An answer that nobody has seen yet. `problem` is its slug where it is one; `media` its type before sealing."""

    context: RequestContext
    status: int
    headers: MutableHeaders
    body: bytes = b""
    problem: str = ""
    media: str = ""

    @classmethod
    def of(cls, context: RequestContext, problem: Problem) -> PendingResponse:
        headers = MutableHeaders(headers={"Content-Type": PROBLEM, **problem.headers})
        return cls(context, problem.status, headers, problem.body, problem.slug)

    def seal_body(self) -> None:
        """Seal the body for the holder of the key; a caller without one is answered in plain."""
        if self.context.token is not None:
            self.media = self.headers.get(CONTENT_TYPE, "")
            self.headers["Content-Type"] = SEALED
            self.body = self.context.seal(RESPONSE, self.body)

    def seal_headers(self) -> None:
        """Seal status and headers of an answer whose body is sealed."""
        self._seal_facts(hashlib.sha256(self.body).hexdigest())

    def seal_stream_headers(self) -> str:
        """Seal status and headers of an answer that is passed on as it comes, and return that seal."""
        self.media = self.headers.get(CONTENT_TYPE, "")
        return self._seal_facts(self.headers.get(FILE_SHA256, ""))

    def _seal_facts(self, sha256: str) -> str:
        if (token := self.context.token) is None:
            return ""
        request_id = token.claims.request_id
        self.headers[REQUEST_ID] = request_id
        sealed = {name: value for name, value in self.headers.items() if is_sealed(name)} | {CONTENT_TYPE: self.media}
        for name in ONLY_SEALED - {CONTENT_TYPE}:
            del self.headers[name]
        facts = AnswerFacts(self.status, sealed, sha256)
        self.headers[SEAL] = value = facts.seal(token.key, request_id, self.context.method, self.context.target)
        return value


@dataclass(slots=True)
class OutgoingStream:
    """Bytes that are passed on as they come: how many, and their digest (of the plain ones).

    Events are sealed one by one, each for its number; the raw bytes of a fitted model are not.
    """

    context: RequestContext
    has_events: bool
    is_open: bool = False
    headers_seal: str = ""
    size: int = 0
    number: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    @classmethod
    def of(cls, context: RequestContext, headers: MutableHeaders) -> OutgoingStream | None:
        """Return the stream that an answer is, or None for one that is held and sealed whole."""
        media = headers.get(CONTENT_TYPE, "").partition(";")[0]
        is_raw = context.row is not None and context.row.raw and media == RAW
        return cls(context, media == EVENT_STREAM) if is_raw or media == EVENT_STREAM else None

    def encode(self, chunk: bytes) -> bytes:
        """Return what is sent for a chunk."""
        self.digest.update(chunk)
        sent = b"".join(map(self._seal_frame, split_frames(chunk))) if self.has_events else chunk
        self.size += len(sent)
        return sent

    def _seal_frame(self, frame: bytes) -> bytes:
        self.number += 1
        return seal_frame(frame, self.number, self._seal_data)

    def _seal_data(self, name: str, data: bytes) -> bytes:
        return self.context.seal(event_purpose(self.number, name, self.headers_seal), data)


@dataclass(slots=True)
class ResponsePipeline:
    """The `send` of one call, and its end."""

    backend: Backend
    pools: ThreadPools
    context: RequestContext
    send_message: Send
    claim: RequestIdClaim
    outcome: str = GONE
    _response: PendingResponse | None = None
    _stream: OutgoingStream | None = None
    _repeated: FirstAnswer | None = None
    _parts: list[bytes] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """ASGI's `send`: hold an answer, or pass a stream on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            self._stream = OutgoingStream.of(self.context, headers)
            self._response = PendingResponse(self.context, message["status"], headers)
        elif self._stream is None:
            self._parts.append(message.get("body", b""))
        elif chunk := message.get("body", b""):
            if not self._stream.is_open:
                await self._open(self._stream)
            await self.send_message(
                {"type": "http.response.body", "body": self._stream.encode(chunk), "more_body": True}
            )

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem instead of what came so far; a stream that has begun just ends."""
        if self._stream is None or not self._stream.is_open:
            self._stream, self._parts, self._response = None, [], PendingResponse.of(self.context, problem)

    def repeat(self, first: FirstAnswer) -> None:
        """Answer with the very bytes that a request was answered with before."""
        self._repeated, headers = first, MutableHeaders(dict(first.headers))
        self._response = PendingResponse(self.context, first.status, headers, first.body, first.problem)

    def abandon(self) -> None:
        """Answer nobody: the caller is gone."""
        self._stream, self._response = None, None

    async def finish(self) -> None:
        """Record the call, then send the response; for a stream, record that it is over."""
        if self._stream is not None and not self._stream.is_open:  # it was empty
            try:
                await self._open(self._stream)
            except AutoLearnError as failure:
                self.refuse(problem_of(failure))
        if self._stream is not None:
            await self._close(self._stream)
        elif (response := self._response) is None:
            await self.pools.run_always(self._record_gone)
        else:
            if self._parts:
                response.body = b"".join(self._parts)
            last = await self.pools.run_always(lambda: self._settle(response))
            last.headers["Content-Length"] = str(len(last.body))
            await self._start(last)
            await self.send_message({"type": "http.response.body", "body": last.body})

    # -- answers -------------------------------------------------------------------------------------------------------

    def _settle(self, response: PendingResponse) -> PendingResponse:
        """Seal and record an answer; return it, or a problem where recording failed."""
        waited_in_vain = response.problem == NotAbleError.slug  # the caller does not wait as long once more
        with self.backend.short_timeout() if waited_in_vain else nullcontext():
            try:
                response = self._seal_and_record(response)
            finally:
                self.claim.release(Trace.ANSWERABLE if self.context.is_in_log else Trace.UNANSWERABLE)
        self.outcome = str(response.status)
        return response

    def _seal_and_record(self, response: PendingResponse) -> PendingResponse:
        position, is_repeat = self._position_of(response), self._repeated is not None
        digest = self._repeated.digest if self._repeated else hashlib.sha256(response.body).hexdigest()
        if not is_repeat:
            response.seal_body()
        record = call_record(
            self.context,
            str(response.status),
            problem=response.problem,
            position=position,
            head=response.headers.get(HEAD, ""),
            size=len(response.body),
            digest=digest,
        )
        failure = self._record(record, None if is_repeat else response)
        if failure is not None:
            is_done = self.context.is_command and response.status < FIRST_ERROR
            response = PendingResponse.of(self.context, problem_of(_outcome_recorded(position) if is_done else failure))
            if position:
                response.headers[POSITION] = str(position)
            response.seal_body()
            response.seal_headers()
        elif not is_repeat:
            response.seal_headers()
            self.claim.settle(response.status, response.headers, response.body, response.problem, digest)
        return response

    def _record_gone(self) -> None:
        self._record(call_record(self.context, GONE))
        self.claim.release(Trace.UNUSED)

    def _position_of(self, response: PendingResponse) -> int:
        """Return the position that the answer is true for: the log's last where the route names none and it answers."""
        if self.context.caller is None or self._repeated:
            return self._repeated.position if self._repeated else 0
        if POSITION not in response.headers:
            try:
                response.headers[POSITION] = str(self.backend.feed.end()[0])
            except NotAbleError:
                return 0
        return int(response.headers[POSITION])

    def _record(self, record: AuditRecord, response: PendingResponse | None = None) -> AutoLearnError | None:
        """Archive a record, and name its place in the response to an authenticated caller; return what prevented it."""
        if self.context.is_open:
            return None
        try:
            if self.context.caller is None:
                self.backend.refused_calls.append(record)
                return None
            stored = self.backend.audit_log.append(record)
            if response is not None:
                response.headers[AUDIT] = f"{stored.position}:{stored.hash.hex()}"
        except AutoLearnError as failure:
            return failure
        except Exception as failure:
            if (lack := resource_exhaustion(failure)) is not None:
                return lack
            logger.exception("%s could not be recorded", record.operation)
            return NotAbleError("The call could not be recorded in the audit log.")
        return None

    # -- streams -------------------------------------------------------------------------------------------------------

    async def _open(self, stream: OutgoingStream) -> None:
        response = self._response or PendingResponse.of(self.context, INTERNAL)
        position = await self.pools.run_always(lambda: self._position_of(response))
        record = call_record(self.context, "opened", position=position)
        failure = await self.pools.run_always(lambda: self._record(record, response))
        if failure is not None:
            raise failure
        stream.headers_seal = response.seal_stream_headers()
        if self.claim.is_mine:
            await self.pools.run_always(lambda: self.claim.release(Trace.UNANSWERABLE))
        stream.is_open, self.outcome = True, str(response.status)
        await self._start(response)

    async def _close(self, stream: OutgoingStream) -> None:
        position = int(self._response.headers.get(POSITION, "0")) if self._response else 0
        digest = stream.digest.hexdigest()
        record = call_record(self.context, "closed", position=position, size=stream.size, digest=digest)
        await self.pools.run_always(lambda: self._record(record))
        await self.send_message({"type": "http.response.body", "body": b""})

    async def _start(self, response: PendingResponse) -> None:
        if self.context.has_unread_body:
            response.headers["Connection"] = "close"  # nobody will read the rest of the body
        headers = response.headers.raw
        await self.send_message({"type": "http.response.start", "status": response.status, "headers": headers})


def _outcome_recorded(position: int) -> OutcomeRecordedError:
    return OutcomeRecordedError(
        f"The command was done (the log stands at {position}), but the call could not be recorded: "
        "repeat it with the same Idempotency-Key, or its request id as that key, to get its answer."
    )
