"""The backend process: listens, starts the node, serves until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from cli.compose.embedded import open_node
from domain.errors import BadInputError, ConflictError

if TYPE_CHECKING:
    from cli.node import Node
    from cli.settings import Settings

LEAVE_SECONDS = 5  # for calls in flight, once their tasks are ended
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to reach, not to bind
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Serving(uvicorn.Server):
    """A uvicorn server that ends the tasks as soon as it is told to stop, so that calls which wait for them return."""

    def __init__(self, config: uvicorn.Config, node: Node) -> None:
        super().__init__(config)
        self._node = node

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, at the first signal; a second one lets go of calls in flight."""
        Thread(target=self._node.application.close, name="stopping", daemon=True).start()
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


def serve(settings: Settings, port: int) -> None:
    """Run a backend until SIGTERM or SIGINT; raises domain.errors where it cannot start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    os.umask(0o077)  # what is stored is the owner's alone, whatever folder it is in
    listening = _listen(settings.listen, port)
    url = url_of(settings.listen, listening.getsockname()[1])
    node = open_node(settings)
    try:
        _check_exposure(settings, node)
        node.start()
        from adapters.http.app import make_app  # noqa: PLC0415 - FastAPI, after the cheap checks

        config = uvicorn.Config(
            make_app(node.backend),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=LEAVE_SECONDS,
        )
        node.announce(url)
        sys.stderr.write(f"AutoLearn answers at {url}; its data is in {settings.data}. Ctrl-C stops it.\n")
        Serving(config, node).run(sockets=[listening])
    finally:
        node.close()
        listening.close()


def url_of(address: str, port: int) -> str:
    """Return a URL at which this machine reaches an address; IPv6 stands in brackets (RFC 3986, 3.2.2)."""
    address = EVERYWHERE.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _check_exposure(settings: Settings, node: Node) -> None:
    if settings.listen not in LOOPBACK and not node.has_own_clients():
        raise BadInputError(
            f"It does not listen on {settings.listen} while `local` is its only client: add one first"
            " (`autolearn client add NAME --offline`), then revoke `local` or keep its key where it is."
        )


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # asyncio sets it only on sockets that name their protocol; without it every answer of two writes waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((address, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise ConflictError(f"It cannot listen on {address}:{port}: {error.strerror}. Take another --port.") from error
    listening.set_inheritable(False)
    return listening
