"""A hostile relay on loopback between a client and a backend: passes requests on, and changes what comes back."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answered:
    """One answer as it came: status, headers in their order, body."""

    status: int
    headers: Pairs
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> Answered:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = tuple((name, value) for name, _, value in (line.partition(": ") for line in rest))
        it = cls(int(first.split(" ")[1]), pairs, body)
        return it.unchunked() if it.header("transfer-encoding") == "chunked" else it

    def unchunked(self) -> Answered:
        parts, rest = [], self.body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            parts.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
        return self.without("transfer-encoding").of(b"".join(parts))

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each.lower() == name), "")

    def without(self, name: str) -> Answered:
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() != name))

    def having(self, name: str, value: str) -> Answered:
        return replace(self.without(name), headers=(*self.without(name).headers, (name, value)))

    def of(self, body: bytes) -> Answered:
        """Return it with another body, whole as HTTP sees it."""
        return replace(self.having("content-length", str(len(body))), body=body)

    @property
    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body

    @property
    def chunked(self) -> bytes:
        size = max(1, len(self.body) // 3)
        parts = [self.body[n : n + size] for n in range(0, len(self.body), size)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        return replace(self.without("content-length").having("transfer-encoding", "chunked"), body=body).raw


Change = Callable[[Answered], bytes]


class Relay(ThreadingTCPServer):
    """Passes on what comes, each request on a connection of its own; `change` makes the bytes that go back."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        parts = urlsplit(target)
        self.backend = (parts.hostname or "", parts.port or 0)
        self.change: Change = lambda answered: answered.raw
        self.before: Callable[[bytes], bytes | None] = lambda request: request
        self.kept: list[Answered] = []
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def asked(self, request: bytes) -> Answered:
        """Send a request, and return the whole answer."""
        with socket.create_connection(self.backend, 10) as upstream:
            upstream.sendall(request)
            parts = []
            while part := upstream.recv(1 << 16):
                parts.append(part)
        return Answered.read(b"".join(parts))


class _Passing(BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        request = self.server.before(self._request())
        if request is None:
            return
        self.server.requests.append(request)
        answered = self.server.asked(request)
        self.server.kept.append(answered)
        self.request.sendall(self.server.change(answered))

    def _request(self) -> bytes:
        came = b""
        while b"\r\n\r\n" not in came:
            came += self.request.recv(1 << 16)
        head, _, body = came.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(lines.get(b"content-length", b"0")):
            body += self.request.recv(1 << 16)
        return head + b"\r\n\r\n" + body
