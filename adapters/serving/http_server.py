"""The HTTP server: a listening socket, and uvicorn on it with limits for connections, until the process is to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

import uvicorn

from adapters.host.sockets import BACKLOG, Listener, affordable_connections
from adapters.serving.connection import Connection
from adapters.serving.connections import Connections, OnRefused, ignore_refusal
from adapters.serving.limits import ConnectionLimits
from adapters.serving.proxies import CallerAddress, Network

TICKS_OF_A_SECOND = 10  # of uvicorn's main loop
LEAVE_SECONDS = 5  # for calls in flight, once their tasks are ended


class HttpServer(uvicorn.Server):
    """A uvicorn server that calls `stop` as soon as it is told to stop, so that calls which wait for a task return."""

    def __init__(self, app: Any, connections: Connections, stop: Callable[[], object]) -> None:
        super().__init__(configure(app, connections))
        self._stop, self._connections = stop, connections

    async def on_tick(self, counter: int) -> bool:
        """Look at all connections every second."""
        if counter % TICKS_OF_A_SECOND == 0:
            self._connections.check_deadlines(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, at the first signal; a second one lets go of calls in flight."""
        Thread(target=self._stop, name="stopping", daemon=True).start()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while serving; uvicorn would raise them again afterwards, before the stores are closed."""
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def serve(
    app: Any,
    listener: Listener,
    stop: Callable[[], object],
    *,
    connections: int,
    proxies: Sequence[Network] = (),
    refused: OnRefused = ignore_refusal,
) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT, at which `stop` is called in a thread of its own.

    `connections`: how many at a time. `proxies` are believed about who calls. `refused` hears of what is refused
    before it is a call.
    """
    limits = replace(ConnectionLimits(), most=affordable_connections(connections))
    HttpServer(CallerAddress(app, proxies), Connections(limits, refused), stop).run(sockets=[listener.socket])


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
