"""Services that tell what reached them, as real uvicorn servers on loopback; a test chooses how they answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import listen_at
from adapters.serving.connections import Connections
from adapters.serving.http_server import HttpServer
from adapters.serving.limits import ConnectionLimits

SECONDS = 60.0


@dataclass
class Echo:
    """An ASGI application that answers with what it was sent. `way=…`, or the path's end, ask for something else."""

    name: str
    unable: bool = False
    seconds: float = 0.0  # before it answers
    heard: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Begin anew."""
        self.unable, self.seconds = False, 0.0
        self.heard.clear()
        self.left.clear()
        self.begun.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        self.heard.append(scope["path"])
        ways: dict[str, Callable[[Receive, Send], Awaitable[None]]] = {
            "events": self._stream,
            "refused": self._refuse_unread,
            "broken": self._break_off,
        }
        way = ways.get(scope["query_string"].decode().removeprefix("way=") or scope["path"].rpartition("/")[2])
        if way is not None:
            await way(receive, send)
            return
        digest, size = hashlib.sha256(), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            digest.update(message.get("body", b""))
            size += len(message.get("body", b""))
            self.begun.set()
            if not message.get("more_body", False):
                break
        with suppress(TimeoutError):  # the caller does not leave
            await asyncio.wait_for(receive(), self.seconds)
        await answer(send, 503 if self.unable else 200, self._told(scope, digest.hexdigest(), size))

    def _told(self, scope: Scope, digest: str, size: int) -> dict[str, Any]:
        return {
            "service": self.name,
            "method": scope["method"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "client": scope["client"][0],
            "sha256": digest,
            "size": size,
        }

    async def _stream(self, receive: Receive, send: Send) -> None:
        """Send one event, and no more until the caller leaves."""
        await receive()
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"event: progress\ndata: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()

    async def _refuse_unread(self, receive: Receive, send: Send) -> None:
        del receive
        await answer(send, 413, {"type": "too-large"}, (b"connection", b"close"))

    async def _break_off(self, receive: Receive, send: Send) -> None:
        await receive()
        headers = [(b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise BrokenOffError


class BrokenOffError(Exception):
    """An instance that died in the middle of its answer."""


async def answer(send: Send, status: int, body: dict[str, Any], *more: tuple[bytes, bytes]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"x-two", b"a"), (b"x-two", b"b"), *more]
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application in a thread, and yield its URL."""
    with listen_at("127.0.0.1", 0) as listener:
        listener.open()
        connections = Connections(ConnectionLimits())
        shutdown = ShutdownRequest()
        server = HttpServer(app, connections, shutdown, lambda: None)
        server.config.timeout_graceful_shutdown = 1
        thread = threading.Thread(target=server.run, args=([listener.socket],))
        thread.start()
        try:
            yield listener.url
        finally:
            shutdown.make()
            thread.join(SECONDS)
