"""Serving: a listening socket, an application on it until the process is told to stop, and the embedded backend so."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from adapters.host.printable import visible
from adapters.host.private_files import UMASK
from adapters.log.times import microseconds_now
from adapters.serving.connection import Connection
from adapters.serving.connections import Connections, OnRefused, ignore_refusal
from adapters.serving.limits import ConnectionLimits
from adapters.serving.log_limit import LogLimit
from adapters.serving.proxies import CallerAddress, Network
from adapters.serving.sockets import ListeningSocket, affordable_connections, raise_descriptor_limit
from autolearn.secret_files import forbid_dumps
from domain.errors import BadInputError, ConflictError
from server.logs import log_to_standard_error
from server.startup import has_own_clients

if TYPE_CHECKING:
    from adapters.host.directory_lock import DirectoryLock
    from adapters.http.backend import Backend
    from server.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 256  # connections that the kernel keeps until they are accepted, which is at once
TICKS_OF_A_SECOND = 10  # of uvicorn's main loop
LOOK_SECONDS = 2.0  # between two looks at whether the data directory is still there
LEAVE_SECONDS = 5  # for calls in flight, once their tasks are ended
KEEP_ALIVE = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 60,  # seconds of silence before it is asked whether it is there
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 15,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 4,
}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to reach, not to bind
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Serving(uvicorn.Server):
    """A uvicorn server that calls `stop` as soon as it is told to stop, so that calls which wait for a task return."""

    def __init__(self, config: uvicorn.Config, stop: Callable[[], None], connections: Connections) -> None:
        super().__init__(config)
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
        """Handle signals while serving; uvicorn would raise them again afterwards, before the node could be closed."""
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def serve(settings: Settings, port: int, accept_loss: str | None = None) -> None:
    """Run an embedded backend until SIGTERM or SIGINT; raises domain.errors where it cannot start.

    `accept_loss`: why it is to go on where the end of log or audit log is lost.
    """
    from server.compose.embedded import open_node  # noqa: PLC0415 - the drivers of one mode only

    begin_process()
    with door_at(settings.listen, port) as door:
        node = open_node(settings, accept_loss)
        try:
            check_exposure(settings, node.backend)
            node.start()
            from adapters.http.app import make_app  # noqa: PLC0415 - FastAPI, after the cheap checks

            app = make_app(node.backend)
            door.open()
            node.announce(door.url)
            where = visible(str(settings.data))
            sys.stderr.write(f"AutoLearn answers at {door.url}; its data is in {where}. Ctrl-C stops it.\n")
            with watched(node.lock):
                run_app(app, door, node.application.close, Reception.of(settings, app.refuse_connection))
        finally:
            node.close()


@contextmanager
def watched(lock: DirectoryLock) -> Iterator[None]:
    """End this process in order as soon as its data directory was taken away; raises ConflictError, which says so."""
    ending, found = Event(), list[str]()

    def look() -> None:
        while not found and not ending.wait(LOOK_SECONDS):
            if (lost := lock.lost()) is not None:
                found.append(lost)
                log.critical("%s: this backend stops, and stores nothing more", lost)
                os.kill(os.getpid(), signal.SIGTERM)

    looking = Thread(target=look, name="data directory", daemon=True)
    looking.start()
    try:
        yield
    finally:
        ending.set()
        looking.join()
    if found:
        raise ConflictError(f"{found[0]}. What was acknowledged is in the directory that was served.")


def begin_process() -> None:
    """Log to standard error; what is stored is the owner's alone, whatever folder it is in."""
    log_to_standard_error()
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogLimit())
    os.umask(UMASK)
    forbid_dumps()
    microseconds_now()  # a clock that is far off is refused at once
    raise_descriptor_limit()


@dataclass(frozen=True)
class Reception:
    """How callers are received: by how many connections, and which proxies are believed about who calls.

    `each`: descriptors that a connection takes. `refused` is told of what is refused before it is a call.
    """

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    proxies: tuple[Network, ...] = ()
    each: int = 1
    refused: OnRefused = ignore_refusal

    @classmethod
    def of(cls, settings: Settings, refused: OnRefused = ignore_refusal, each: int = 1) -> Reception:
        """Return what the settings say."""
        return cls(ConnectionLimits(most=settings.connections), settings.proxy_networks, each, refused)


def run_app(app: Any, door: Door, stop: Callable[[], None], reception: Reception = Reception()) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT, at which `stop` is called in a thread of its own."""
    limits = replace(reception.limits, most=affordable_connections(reception.limits.most, reception.each))
    connections = Connections(limits, reception.refused)
    Serving(config_of(CallerAddress(app, reception.proxies), connections), stop, connections).run(sockets=[door.socket])


def config_of(app: Any, connections: Connections) -> uvicorn.Config:
    """Return uvicorn's configuration: nothing of its environment counts."""
    return uvicorn.Config(
        app,
        http=partial(Connection, connections),  # type: ignore[arg-type]  # it is called like a class
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="auto",  # the gateway has one
        backlog=BACKLOG,
        timeout_keep_alive=int(connections.limits.idle_seconds),
        timeout_graceful_shutdown=LEAVE_SECONDS,
        proxy_headers=False,
    )


def url_of(address: str, port: int) -> str:
    """Return a URL at which this machine reaches an address; IPv6 stands in brackets (RFC 3986, 3.2.2)."""
    address = EVERYWHERE.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def check_exposure(settings: Settings, backend: Backend) -> None:
    """Raise BadInputError for listening beyond loopback while `local` is the only client."""
    if settings.listen not in LOOPBACK and not has_own_clients(backend):
        raise BadInputError(
            f"It does not listen on {settings.listen} while `local` is its only client: add one first"
            " (`autolearn client add NAME --offline`), then revoke `local` or keep its key where it is."
        )


@dataclass(frozen=True)
class Door:
    """An address that is taken. Until it is opened nobody gets in, so that callers go to another instance meanwhile."""

    socket: socket.socket
    url: str

    def open(self) -> None:
        """Let calls in; raises ConflictError where another process was quicker."""
        with conflicts(self.url):
            self.socket.listen(BACKLOG)


@contextmanager
def door_at(address: str, port: int) -> Iterator[Door]:
    """Take an address; raises ConflictError for a port that is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ListeningSocket(family, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets it only on sockets that name their protocol; without it every answer of two writes waits 40 ms.
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in KEEP_ALIVE.items():  # inherited by its connections: callers that vanish are missed
            taken.setsockopt(*option, value)
        with conflicts(f"{address}:{port}"):
            taken.bind((address, port))
        taken.set_inheritable(False)
        yield Door(taken, url_of(address, taken.getsockname()[1]))


@contextmanager
def conflicts(where: str) -> Iterator[None]:
    """Turn what the kernel says of a taken port into ConflictError."""
    try:
        yield
    except OSError as error:
        raise ConflictError(f"It cannot listen on {where}: {error.strerror}. Take another --port.") from error
