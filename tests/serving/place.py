"""The server with an application of a test's own, on loopback in a thread; and callers that speak byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.types import Receive, Scope, Send

from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import listen_at
from adapters.http.problems import Problem
from adapters.serving.connections import Connections
from adapters.serving.http_server import HttpServer
from adapters.serving.limits import ConnectionLimits

SECONDS = 60.0
QUICK = ConnectionLimits(
    header_seconds=1, idle_seconds=2, pace_seconds=1, pace_bytes=1000, linger_seconds=0.5, target=2000, stray=65536
)


@dataclass
class Place:
    """A server that runs, what it refused, and what its application saw."""

    port: int
    connections: Connections
    refused: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer: `/large` with 64 MiB, `/stream` with 256 MiB in parts; else with the size of the body."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        content = bytes(64 << 20) if scope["path"] == "/large" else str(len(body)).encode()
        headers = [(b"content-length", str(len(content)).encode())]
        if scope["path"] == "/stream":
            await self._stream(send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4096):  # what is sent to who has left is lost, and takes no time
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        self.left.set()

    def caller(self, first: bytes = b"", receive_buffer: int = 0) -> socket.socket:
        """Connect, and say something."""
        made = socket.socket()
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(SECONDS)
        made.connect(("127.0.0.1", self.port))
        made.sendall(first)
        return made

    def said(self, what: bytes) -> bytes:
        """Say something and return all that is answered until the end."""
        with self.caller(what) as caller:
            return all_of(caller)


def all_of(caller: socket.socket) -> bytes:
    """Return what comes until the connection ends, in order or not."""
    parts = []
    try:
        while part := caller.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.01)


@contextmanager
def place(limits: ConnectionLimits = QUICK) -> Iterator[Place]:
    """Serve with these limits."""
    with listen_at("127.0.0.1", 0) as listener:
        listener.open()
        refused: list[tuple[str, str]] = []

        def tell(problem: Problem, source: str) -> None:
            refused.append((problem.slug, source))

        connections = Connections(limits, tell)
        here = Place(listener.socket.getsockname()[1], connections, refused)

        shutdown = ShutdownRequest()
        server = HttpServer(here, connections, shutdown, lambda: None)
        thread = threading.Thread(target=run, args=(server, listener.socket))
        thread.start()
        try:
            yield here
        finally:
            shutdown.make()
            thread.join(SECONDS)


def run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until told to exit."""
    server.run(sockets=[listening])
