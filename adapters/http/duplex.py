"""Connections that take in what comes while they still send: a service that refuses a file answers before it is whole.

httpcore's own ones read only once the request is written, and then find the answer gone with the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

MOST_WAITING = 1 << 18  # bytes that nobody has read yet
MANY_TURNS = 2  # of the event loop, after which what has come is here


class Duplex(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One TCP connection: what has come outlives it. Errors and time-outs (seconds) are httpcore's."""

    def __init__(self) -> None:
        self._come, self._something, self._free = bytearray(), asyncio.Event(), asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._free.set()

    # -- asyncio's side ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what comes, and take a rest from it when it is much."""
        self._come += data
        self._something.set()
        if self._transport is not None and len(self._come) > MOST_WAITING:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake all who wait."""
        del exc
        self._over = True
        self._something.set()
        self._free.set()

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._free.clear()

    def resume_writing(self) -> None:
        """Let them go on."""
        self._free.set()

    # -- httpcore's side -----------------------------------------------------------------------------------------------

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Return what has come, at most so much; nothing at the end."""
        await _soon(self._something, timeout, httpcore.ReadTimeout)
        taken = bytes(self._come[:max_bytes])
        del self._come[:max_bytes]
        if not self._come and not self._over:
            self._something.clear()
        if self._transport is not None and len(self._come) <= MOST_WAITING and not self._over:
            self._transport.resume_reading()
        return taken

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Send; raises WriteError where the other side is gone, whose last words can still be read."""
        for _ in range(MANY_TURNS):
            await asyncio.sleep(0)
        if self._transport is not None and not self._over:
            self._transport.write(buffer)
            await _soon(self._free, timeout, httpcore.WriteTimeout)
        if self._over:
            raise httpcore.WriteError("the connection is lost")

    async def aclose(self) -> None:
        """Close."""
        if self._transport is not None:
            self._transport.close()

    def get_extra_info(self, info: str) -> Any:
        """Tell whether an idle connection has something to read: it is no good any more then."""
        return self._something.is_set() if info == "is_readable" else None


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
        """Connect; asyncio sets TCP_NODELAY."""
        del local_address, socket_options
        loop = asyncio.get_running_loop()
        try:
            _, made = await asyncio.wait_for(loop.create_connection(Duplex, host, port), timeout)
        except TimeoutError as late:
            raise httpcore.ConnectTimeout(str(late)) from late
        except OSError as refused:
            raise httpcore.ConnectError(str(refused)) from refused
        return made


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


async def _soon(event: asyncio.Event, seconds: float | None, late: type[Exception]) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError as error:
        raise late(str(error)) from error
