"""The HTTP server: a listening socket, and uvicorn on it with limits for connections, until the process is to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import Any

import uvicorn

from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import BACKLOG, Listener, affordable_connections
from adapters.serving.connection import Connection
from adapters.serving.connections import Connections, OnRefused, ignore_refusal
from adapters.serving.limits import ConnectionLimits
from adapters.serving.proxies import CallerAddress, Network

TICKS_OF_A_SECOND = 10  # of uvicorn's main loop
LEAVE_SECONDS = 5  # for calls in flight, once their tasks are ended
RECORD_SECONDS = 5  # for those that were cut then: their end is in the audit log, too


class HttpServer(uvicorn.Server):
    """A uvicorn server that serves until a request to stop, and then calls `stop`, so that calls which wait return."""

    def __init__(
        self, app: Any, connections: Connections, shutdown: ShutdownRequest, stop: Callable[[], object]
    ) -> None:
        super().__init__(configure(app, connections))
        self._shutdown, self._stop, self._connections = shutdown, stop, connections

    async def on_tick(self, counter: int) -> bool:
        """Look at all connections every second, and at the request to stop each time."""
        if counter % TICKS_OF_A_SECOND == 0:
            self._connections.check_deadlines(asyncio.get_running_loop().time())
        if not self._shutdown.is_made:
            return await super().on_tick(counter)
        Thread(target=self._stop, name="stopping", daemon=True).start()
        return True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let calls end, cut those that do not, and wait until these are recorded."""
        await super().shutdown(sockets)
        if cut := self.server_state.tasks.copy():
            await asyncio.wait(cut, timeout=RECORD_SECONDS)

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # a generator's, in uvicorn
        """Handle none: the process does. Uvicorn would raise them again after serving, before the stores are closed."""
        return nullcontext()


def serve(
    app: Any,
    listener: Listener,
    shutdown: ShutdownRequest,
    stop: Callable[[], object],
    *,
    connections: int,
    proxies: Sequence[Network] = (),
    refused: OnRefused = ignore_refusal,
) -> None:
    """Serve an ASGI application until a request to stop, at which `stop` is called in a thread of its own.

    `connections`: how many at a time. `proxies` are believed about who calls. `refused` hears of what is refused
    before it is a call.
    """
    limits = replace(ConnectionLimits(), most=affordable_connections(connections))
    HttpServer(CallerAddress(app, proxies), Connections(limits, refused), shutdown, stop).run(sockets=[listener.socket])


def configure(app: Any, connections: Connections) -> uvicorn.Config:
    """Return uvicorn's configuration: nothing of its environment counts."""
    return uvicorn.Config(
        app,
        http=partial(Connection, connections),  # type: ignore[arg-type]  # it is called like a class
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="auto",
        backlog=BACKLOG,
        timeout_keep_alive=int(connections.limits.idle_seconds),
        timeout_graceful_shutdown=LEAVE_SECONDS,
        proxy_headers=False,
    )
