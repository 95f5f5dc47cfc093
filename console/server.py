"""Serving the console on loopback until Ctrl-C."""

from __future__ import annotations

import secrets
import socket

import uvicorn

from autolearn.client import BackendClient
from console.app import make_app

SECRET_BYTES = 18
ADDRESS = "127.0.0.1"


class ConsoleServer:
    """Listens on loopback alone, with a secret that is new at every start."""

    def __init__(self, client: BackendClient, port: int) -> None:
        self.listener = socket.create_server((ADDRESS, port))
        self.port = int(self.listener.getsockname()[1])
        self.secret = secrets.token_urlsafe(SECRET_BYTES)
        app = make_app(client, self.secret, self.port)
        # no access log: its lines would have the secret in them
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
        self.server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """The URL to open once: it has the secret."""
        return f"http://{ADDRESS}:{self.port}/?secret={self.secret}"

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        self.server.run(sockets=[self.listener])
