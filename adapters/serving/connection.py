"""One connection: uvicorn's protocol of HTTP/1.1, with limits where it has none."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.problems import Problem
from adapters.serving.connections import Connections
from adapters.serving.head import Head
from adapters.serving.listening import in_kernel
from adapters.serving.pace import Pace
from adapters.serving.refused import NO_ROOM, NOT_HTTP, TOO_SLOW, RefusedError, header_too_large, response


class PipelinedError(Exception):
    """A request that comes before the one before it is answered."""


class Connection(HttpToolsProtocol):
    """Measures what comes before it is kept, and ends when nothing comes, or nobody reads.

    It answers one request at a time: after one that another followed too early it ends, as RFC 9112, 9.3.2 allows.
    """

    def __init__(self, connections: Connections, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._connections, self._limits = connections, connections.limits
        self._head, self._coming, self._going = Head(self._limits), Pace(self._limits), Pace(self._limits)
        self._since = self.loop.time()  # when it began to wait for a request
        self._received = self._stray = self._steps = 0
        self._is_deaf = False
        self._ends: float | None = None

    # -- asyncio's side ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take part, if there is room."""
        super().connection_made(transport)
        transport.max_size = HIGH_WATER_LIMIT  # type: ignore[attr-defined]  # of one read, of selector transports
        if not self._connections.admit(self):
            self._refuse(NO_ROOM)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse what has no end."""
        self._unset_keepalive_if_required()
        if self._is_deaf:
            return
        self._received += len(data)
        steps = self._steps
        problem = self._parse(data)
        self._stray = self._stray + len(data) if steps == self._steps else 0
        if problem is None and self._stray > self._limits.stray:
            problem = header_too_large("What is no body is too long in bytes", self._limits.stray)
        if problem is not None:
            self._refuse(problem)

    def look(self, now: float) -> None:
        """End it if its time is over: called every second."""
        if self._is_left_unread(now) or (self._ends is not None and now > self._ends):
            self.drop()
        elif self._ends is None and not self.transport.is_closing():
            self._look_at_request(now)

    def drop(self) -> None:
        """End it at once."""
        self._is_deaf = True
        self.transport.abort()

    # -- the parser's side ---------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a head."""
        if self._is_busy:
            raise PipelinedError
        self._head.begin()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._head.add_target(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; of trailers, that nobody here knows, nothing."""
        if not self._head.is_whole:
            self._head.add_header(name, value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._head.is_whole = True
        self._steps += 1
        self._coming.begin(self.loop.time(), self._received)  # its body has all the time from here on
        self._connections.answer(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._steps += 1
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._since = self.loop.time()
        self._connections.await_request(self)

    def _parse(self, data: bytes) -> Problem | None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._answer_and_end()
        except httptools.HttpParserError as error:
            cause = error.__context__
            if not isinstance(cause, PipelinedError) and not self._has_whole_request:
                return cause.problem if isinstance(cause, RefusedError) else NOT_HTTP
            self._answer_and_end()
        return None

    # -- what becomes of it --------------------------------------------------------------------------------------------

    @property
    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _has_whole_request(self) -> bool:
        return self._is_busy and not self.cycle.more_body

    def _is_left_unread(self, now: float) -> bool:
        if unsent := self.transport.get_write_buffer_size():
            return self._going.is_lost(now, -unsent - in_kernel(self.transport))
        self._going.begin(now, 0)
        return False

    def _look_at_request(self, now: float) -> None:
        if not self._is_busy:
            if now - self._since <= self._limits.head_seconds:
                return
            if self._stray:
                self._refuse(TOO_SLOW)
            else:
                self.transport.close()
        elif not self.cycle.more_body or self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._coming.begin(now, self._received)
        elif self._coming.is_lost(now, self._received):
            self._refuse(TOO_SLOW)

    def _answer_and_end(self) -> None:
        """Listen no more, except for the caller's end."""
        self._is_deaf = True
        if self._is_busy:
            self.cycle.keep_alive = False

    def _refuse(self, problem: Problem) -> None:
        """Say why, unless an answer has begun; then drop what still comes, until that was read or seconds are over."""
        self._is_deaf = True
        self._ends = self.loop.time() + self._limits.linger_seconds
        has_begun = self._is_busy and self.cycle.response_started
        if self._is_busy:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._connections.await_request(self)
        self._connections.refused(problem, self.client[0] if self.client else "")
        if has_begun:
            self.transport.close()
        else:
            self.transport.write(response(problem))
            self.transport.write_eof()
