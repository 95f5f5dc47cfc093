"""Connections that take in what comes while they still send: a service that refuses a file answers before it is whole.

httpcore's own ones read only once the request is written, and then find the answer gone with the connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Iterable
from typing import Any, Self, TypeVar

import httpcore
import httpx

BLOCK = 1 << 16
MOST_WAITING = 4 * BLOCK  # bytes that nobody has read yet

T = TypeVar("T")


class Duplex(httpcore.AsyncNetworkStream):
    """One TCP connection: what has come outlives it. Errors and time-outs (seconds) are httpcore's."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket, self._loop = connected, asyncio.get_running_loop()
        self._come, self._something, self._room = bytearray(), asyncio.Event(), asyncio.Event()
        self._over = False
        self._room.set()
        self._taking_in = self._loop.create_task(self._take_in())

    @classmethod
    async def to(cls, host: str, port: int) -> Self:
        """Connect; raises OSError."""
        loop = asyncio.get_running_loop()
        family, kind, protocol, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(0)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(made, address)
        except BaseException:
            made.close()
            raise
        return cls(made)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Return what has come, at most so much; nothing at the end."""
        await _in_time(self._something.wait(), timeout, httpcore.ReadTimeout)
        taken = bytes(self._come[:max_bytes])
        del self._come[:max_bytes]
        if not self._come and not self._over:
            self._something.clear()
        if len(self._come) < MOST_WAITING:
            self._room.set()
        return taken

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Send; raises WriteError where the other side is gone, whose last words can still be read."""
        try:
            await _in_time(self._loop.sock_sendall(self._socket, buffer), timeout, httpcore.WriteTimeout)
        except OSError as gone:
            raise httpcore.WriteError(str(gone)) from gone

    async def aclose(self) -> None:
        """Close; the socket is the event loop's until nobody takes in any more."""
        self._taking_in.cancel()
        await asyncio.wait([self._taking_in])
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        """Tell whether an idle connection has something to read: it is no good any more then."""
        return self._something.is_set() if info == "is_readable" else None

    async def _take_in(self) -> None:
        try:
            while data := await self._loop.sock_recv(self._socket, BLOCK):
                self._come += data
                self._something.set()
                if len(self._come) >= MOST_WAITING:
                    self._room.clear()
                await self._room.wait()
        except OSError:
            pass  # it is over in disorder; whoever reads finds the answer incomplete
        finally:
            self._over = True
            self._something.set()


class DuplexBackend(httpcore.AsyncNetworkBackend):
    """Makes such connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Duplex:
        """Connect; raises httpcore's ConnectError, ConnectTimeout."""
        del local_address, socket_options
        try:
            return await _in_time(Duplex.to(host, port), timeout, httpcore.ConnectTimeout)
        except OSError as refused:
            raise httpcore.ConnectError(str(refused)) from refused


class DuplexTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over them."""

    def __init__(self, most_idle: int, idle_seconds: float) -> None:
        super().__init__()
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None,
            max_keepalive_connections=most_idle,
            keepalive_expiry=idle_seconds,
            network_backend=DuplexBackend(),
        )


async def _in_time(what: Awaitable[T], seconds: float | None, late: type[Exception]) -> T:
    try:
        return await asyncio.wait_for(what, seconds)
    except TimeoutError as error:  # before OSError, whose subclass it is
        raise late(str(error)) from error
