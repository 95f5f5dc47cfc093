"""One connection: uvicorn's protocol of HTTP/1.1, with limits where it has none."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.host.sockets import unconfirmed_bytes
from adapters.http.problems import Problem
from adapters.serving.connections import Connections
from adapters.serving.limits import (
    NO_ROOM,
    NOT_HTTP,
    TOO_SLOW,
    ConnectionLimits,
    RefusedError,
    header_too_large,
    target_too_long,
)
from autolearn.protocol.headers import PROBLEM


class PipelinedError(Exception):
    """A request that comes before the one before it is answered."""


class HeaderSize:
    """Counts what has come of a request's headers, line by line; raises RefusedError beyond a limit."""

    __slots__ = ("_count", "_limits", "_size", "_target", "is_whole")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        self._target = self._size = self._count = 0
        self.is_whole = False

    def add_target(self, part: bytes) -> None:
        self._target += len(part)
        if self._target > self._limits.target:
            raise RefusedError(target_too_long(self._limits.target))

    def add_header(self, name: bytes, value: bytes) -> None:
        limits, size = self._limits, len(name) + len(value)
        self._size += size
        self._count += 1
        if size > limits.header:
            raise RefusedError(header_too_large("A header is too long in bytes", limits.header))
        if self._size > limits.headers:
            raise RefusedError(header_too_large("The headers are too long in bytes together", limits.headers))
        if self._count > limits.header_count:
            raise RefusedError(header_too_large("There are too many headers", limits.header_count))


class StallDetector:
    """Follows a count of bytes that grows while the other side does its part."""

    __slots__ = ("_bytes", "_count", "_seconds", "_since")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._bytes, self._seconds = limits.pace_bytes, limits.pace_seconds
        self._since, self._count = 0.0, 0

    def reset(self, now: float, count: int) -> None:
        self._since, self._count = now, count

    def is_stalled(self, now: float, count: int) -> bool:
        """Tell whether the count stood still, or crept; where it fell there is more to do, and more time."""
        if not 0 <= count - self._count < self._bytes:
            self.reset(now, count)
        return now - self._since > self._seconds


class Connection(HttpToolsProtocol):
    """Measures what comes before it is kept, and ends when nothing comes, or nobody reads.

    It answers one request at a time: after one that another followed too early it ends, as RFC 9112, 9.3.2 allows.
    """

    def __init__(self, connections: Connections, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._connections, self._limits = connections, connections.limits
        self._header_size = HeaderSize(self._limits)
        self._incoming, self._outgoing = StallDetector(self._limits), StallDetector(self._limits)
        self._waiting_since = self.loop.time()  # for a request
        self._received = self._stray = self._steps = 0
        self._ignores_input = False
        self._closes_at: float | None = None

    # -- called by asyncio ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        transport.max_size = HIGH_WATER_LIMIT  # type: ignore[attr-defined]  # of one read, of selector transports
        if not self._connections.add(self):
            self._refuse(NO_ROOM)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._ignores_input:
            return
        self._received += len(data)
        steps = self._steps
        problem = self._parse(data)
        self._stray = self._stray + len(data) if steps == self._steps else 0
        if problem is None and self._stray > self._limits.stray:
            problem = header_too_large("What is no body is too long in bytes", self._limits.stray)
        if problem is not None:
            self._refuse(problem)

    # -- called by the parser ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._is_busy:
            raise PipelinedError
        self._header_size.reset()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._header_size.add_target(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._header_size.is_whole:  # nobody here knows trailers
            self._header_size.add_header(name, value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._header_size.is_whole = True
        self._steps += 1
        self._incoming.reset(self.loop.time(), self._received)  # its body has all the time from here on
        self._connections.mark_busy(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._steps += 1
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._waiting_since = self.loop.time()
        self._connections.mark_waiting(self)

    def _parse(self, data: bytes) -> Problem | None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._close_after_response()
        except httptools.HttpParserError as error:
            cause = error.__context__
            has_whole_request = self._is_busy and not self.cycle.more_body
            if not isinstance(cause, PipelinedError) and not has_whole_request:
                return cause.problem if isinstance(cause, RefusedError) else NOT_HTTP
            self._close_after_response()
        return None

    # -- its end -------------------------------------------------------------------------------------------------------

    @property
    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def check_deadlines(self, now: float) -> None:
        """End it if its time is over: called every second."""
        if self._is_left_unread(now) or (self._closes_at is not None and now > self._closes_at):
            self.drop()
        elif self._closes_at is not None or self.transport.is_closing():
            return
        elif not self._is_busy:
            if now - self._waiting_since > self._limits.header_seconds:
                if self._stray:
                    self._refuse(TOO_SLOW)
                else:
                    self.transport.close()
        elif not self.cycle.more_body or self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._incoming.reset(now, self._received)
        elif self._incoming.is_stalled(now, self._received):
            self._refuse(TOO_SLOW)

    def drop(self) -> None:
        """End it at once."""
        self._ignores_input = True
        self.transport.abort()

    def _is_left_unread(self, now: float) -> bool:
        if unsent := self.transport.get_write_buffer_size():
            return self._outgoing.is_stalled(now, -unsent - unconfirmed_bytes(self.transport))
        self._outgoing.reset(now, 0)
        return False

    def _close_after_response(self) -> None:
        """Ignore what comes, except for the caller's end."""
        self._ignores_input = True
        if self._is_busy:
            self.cycle.keep_alive = False

    def _refuse(self, problem: Problem) -> None:
        """Say why, unless an answer has begun; then drop what still comes, until that was read or seconds are over."""
        self._ignores_input = True
        self._closes_at = self.loop.time() + self._limits.linger_seconds
        response_started = self._is_busy and self.cycle.response_started
        if self._is_busy:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._connections.mark_waiting(self)
        self._connections.on_refused(problem, self.client[0] if self.client else "")
        if response_started:
            self.transport.close()
        else:
            headers = {"content-type": PROBLEM, "content-length": str(len(problem.body)), "connection": "close"}
            headers |= problem.headers
            lines = [f"HTTP/1.1 {problem.status} {problem.title}", *(f"{name}: {headers[name]}" for name in headers)]
            self.transport.write("\r\n".join([*lines, "", ""]).encode() + problem.body)
            self.transport.write_eof()
