"""The way out: an answer is held until it is sealed and archived; a stream is archived as it opens and closes."""

from __future__ import annotations

import hashlib
import logging
from contextlib import nullcontext
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from adapters.audit_log.request_ids import FirstAnswer, Trace
from adapters.host.processes import resource_exhaustion
from adapters.http.backend import Backend
from adapters.http.middleware.idempotency import FirstUse
from adapters.http.middleware.pending_response import Held
from adapters.http.middleware.request_context import Passage
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.problems import INTERNAL, Problem, problem_of
from adapters.http.streams.streams import Stream, stream_for
from autolearn.protocol.headers import AUDIT, HEAD, POSITION
from domain.errors import AutoLearnError, NotAbleError, OutcomeRecordedError
from projections.ports import Communication

log = logging.getLogger(__name__)

GONE = "gone"  # the outcome of a call whose caller hung up before its body was whole
REFUSED = 400


@dataclass(slots=True)
class Outlet:
    """The `send` of one call, and its end."""

    backend: Backend
    lanes: Lanes
    passage: Passage
    sending: Send
    first_use: FirstUse
    outcome: str = GONE
    _held: Held | None = None
    _stream: Stream | None = None
    _first: FirstAnswer | None = None
    _parts: list[bytes] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """ASGI's `send`: hold an answer, or pass a stream on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            self._stream = stream_for(headers, self.passage)
            self._held = Held(message["status"], headers)
        elif self._stream is None:
            self._parts.append(message.get("body", b""))
        elif chunk := message.get("body", b""):
            await self._pass_on(self._stream, chunk)

    def refuse(self, problem: Problem) -> None:
        """Hold a problem instead of whatever was said; a stream that has begun just ends."""
        if self._stream is None or not self._stream.is_open:
            self._stream, self._parts, self._held = None, [], Held.of(problem)

    def repeat(self, first: FirstAnswer) -> None:
        """Answer with the very bytes that a request was answered with before."""
        self._first = first
        self._held = Held(first.status, MutableHeaders(dict(first.headers)), first.body, first.problem)

    def abandon(self) -> None:
        """Answer nobody: the caller is gone."""
        self._stream, self._held = None, None

    async def finish(self) -> None:
        """Archive the call, then send what was held; of a stream, archive that it is over."""
        if self._stream is not None and not self._stream.is_open:  # it had nothing to tell
            try:
                await self._open(self._stream)
            except AutoLearnError as failure:
                self.refuse(problem_of(failure))
        if self._stream is not None:
            await self._close(self._stream)
        elif self._held is None:
            await self.lanes.certain(self._gone)
        else:
            if self._parts:
                self._held.body = b"".join(self._parts)
            held = self._held
            last = await self.lanes.certain(lambda: self._settled(held))
            await self._start(last, str(len(last.body)))
            await self.sending({"type": "http.response.body", "body": last.body})

    # -- answers -------------------------------------------------------------------------------------------------------

    def _settled(self, held: Held) -> Held:
        """Seal and archive an answer; return it, or the problem that takes its place where archiving failed."""
        waited_in_vain = held.problem == NotAbleError.slug  # the caller does not wait as long once more
        with self.backend.hurried() if waited_in_vain else nullcontext():
            try:
                held = self._sealed_and_archived(held)
            finally:
                self.first_use.end(Trace.TOLD if self.passage.is_in_log else Trace.UNTOLD)
        self.outcome = str(held.status)
        return held

    def _sealed_and_archived(self, held: Held) -> Held:
        position = self._positioned(held)
        plain = self._first.digest if self._first else hashlib.sha256(held.body).hexdigest()
        if not self._first:
            held.seal_body(self.passage)
        failure = self._archived(self._record(held, position, plain), None if self._first else held)
        if failure is not None:
            return self._unarchived(held, position, failure)
        if not self._first:
            held.seal_whole(self.passage)
            self.first_use.settle(held, plain)
        return held

    def _record(self, held: Held, position: int, digest: str) -> Communication:
        return self.passage.record(
            str(held.status),
            problem=held.problem,
            position=position,
            head=held.headers.get(HEAD, ""),
            size=len(held.body),
            digest=digest,
        )

    def _unarchived(self, held: Held, position: int, failure: AutoLearnError) -> Held:
        """Return the problem that takes the place of an answer which cannot be archived."""
        done = self.passage.is_command and held.status < REFUSED
        held = Held.of(problem_of(_recorded(position) if done else failure))
        if position:
            held.headers[POSITION] = str(position)
        held.seal_body(self.passage)
        held.seal_whole(self.passage)
        return held

    def _gone(self) -> None:
        self._archived(self.passage.record(GONE))
        self.first_use.end(Trace.UNUSED)

    def _positioned(self, held: Held) -> int:
        """Say which position the answer is true for; without a word of the route, the log's last, if it answers."""
        if self.passage.admitted is None or self._first:
            return self._first.position if self._first else 0
        if POSITION not in held.headers:
            try:
                held.headers[POSITION] = str(self.backend.feed.head()[0])
            except NotAbleError:
                return 0
        return int(held.headers[POSITION])

    def _archived(self, record: Communication, held: Held | None = None) -> AutoLearnError | None:
        """Archive a record, and let the answer say its place to a caller who is known."""
        if self.passage.is_open:
            return None
        try:
            if self.passage.admitted is None:
                self.backend.refused_calls.archive(record)
                return None
            archived = self.backend.communications.archive(record)
            if held is not None:
                held.headers[AUDIT] = f"{archived.position}:{archived.hash.hex()}"
        except AutoLearnError as failure:
            return failure
        except Exception as failure:
            if (lack := resource_exhaustion(failure)) is not None:
                return lack
            log.exception("archiving %s", record.operation)
            return NotAbleError("The communication could not be archived.")
        return None

    # -- streams -------------------------------------------------------------------------------------------------------

    async def _pass_on(self, stream: Stream, chunk: bytes) -> None:
        if not stream.is_open:
            await self._open(stream)
        await self.sending({"type": "http.response.body", "body": stream.passed(chunk), "more_body": True})

    async def _open(self, stream: Stream) -> None:
        held = self._held or Held.of(INTERNAL)
        position = await self.lanes.certain(lambda: self._positioned(held))
        record = self.passage.record("opened", position=position)
        failure = await self.lanes.certain(lambda: self._archived(record, held))
        if failure is not None:
            raise failure
        stream.seal = held.seal_beginning(self.passage)
        if self.first_use.is_mine:
            await self.lanes.certain(lambda: self.first_use.end(Trace.UNTOLD))
        stream.is_open, self.outcome = True, str(held.status)
        await self._start(held)

    async def _close(self, stream: Stream) -> None:
        position = int(self._held.headers.get(POSITION, "0")) if self._held else 0
        record = self.passage.record("closed", position=position, size=stream.size, digest=stream.sha256)
        await self.lanes.certain(lambda: self._archived(record))
        await self.sending({"type": "http.response.body", "body": b""})

    async def _start(self, held: Held, length: str = "") -> None:
        if length:
            held.headers["Content-Length"] = length
        if self.passage.has_unread_body:
            held.headers["Connection"] = "close"  # nobody will read the rest of the body
        await self.sending({"type": "http.response.start", "status": held.status, "headers": held.headers.raw})


def _recorded(position: int) -> OutcomeRecordedError:
    return OutcomeRecordedError(
        f"The command was done (the log stands at {position}), but the call could not be archived: "
        "repeat it with the same Idempotency-Key, or its request id as that key, to get its answer."
    )
