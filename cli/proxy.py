"""`autolearn proxy`: plain HTTP on loopback, for curl, the OpenAPI page and notebooks; signed and sealed from there."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.errors import ClientError, InvalidInputError, ProblemError
from autolearn.events import StreamEvent
from autolearn.outgoing_call import Body, FileBody
from autolearn.printable import visible, visible_json
from autolearn.protocol.headers import (
    AUDIT,
    EVENT_STREAM,
    FILE_SHA256,
    HEAD,
    POSITION,
    PROBLEM,
    RAW,
    REQUEST_ID,
    SEALED,
)
from cli.options import shared
from cli.terminal import Terminal

SECRET_BYTES = 18
BLOCK = 1 << 20
LARGEST = 1 << 30
ANSWER_HEADERS = (
    POSITION, HEAD, AUDIT, REQUEST_ID, FILE_SHA256, "Location", "Retry-After", "Preference-Applied", "Allow",
)  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what no value of a header may have: a folded one has a line's end
SLUGS = {403: "forbidden", 413: "too-large", 431: "too-large", 501: "method-not-allowed"}


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8421, show_default=True, help="0 takes a free one.")
@shared
def proxy(terminal: Terminal, port: int) -> None:
    """Take plain HTTP on this machine, and pass it to the backend in your name, signed and sealed.

    The URL has a secret that is new at every start: whoever has the URL acts as you. Ctrl-C ends it.
    """
    server = LocalProxy(terminal.client(), port)
    terminal.show({"url": server.url, "docs": f"{server.url}/docs"})
    terminal.say("Ctrl-C ends it.")
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


class LocalProxy(ThreadingHTTPServer):
    """Listens on loopback alone."""

    daemon_threads = True

    def __init__(self, client: BackendClient, port: int) -> None:
        super().__init__(("127.0.0.1", port), RequestHandler)
        self.client = client
        self.secret = secrets.token_urlsafe(SECRET_BYTES)
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address
        click.echo(visible(f"A request broke off: {sys.exception()!r}"), err=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{self.secret}"


class RequestHandler(BaseHTTPRequestHandler):
    """Checks Host, Origin and secret of one request, and passes it on."""

    server: LocalProxy
    protocol_version = "HTTP/1.0"
    server_version, sys_version = "autolearn-proxy", ""

    def do_GET(self) -> None:
        try:
            self._check_headers()
            target = self._check_target()
            with self._body() as body:
                self._pass_on(target, body)
        except ClientError as refusal:
            self._send_problem(refusal)

    do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse by a problem what is no HTTP request, like everything else."""
        del explain
        self.request_version = "HTTP/1.0"  # as a request line that cannot be read leaves it, no headers would be sent
        detail = f"The proxy cannot read this request: {message or code}."
        problem = {"type": SLUGS.get(code, "bad-input"), "title": "Bad request", "detail": detail}
        self._send_problem(ProblemError(code, problem), {"Connection": "close"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
        """Print nothing: the lines would have the secret in them."""

    def _check_headers(self) -> None:
        """Refuse a header that cannot be passed on; what the parser could not read stands in `defects`."""
        if self.headers.defects or any(CONTROL.search(name + value) for name, value in self.headers.items()):
            raise InvalidInputError("A header is one line of text, without control characters.")
        if CONTROL.search(self.path):
            raise InvalidInputError("A target has no control characters.")

    def _check_target(self) -> str:
        """Return the target behind the secret; other sites send another Origin, rebound names another Host."""
        own = {f"http://{host}" for host in self.server.hosts}
        if self.headers.get("Host") not in self.server.hosts or self.headers.get("Origin", next(iter(own))) not in own:
            raise _refusal(403, "This proxy is for requests from this machine that use its own URL.")
        secret, slash, rest = self.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(secret.encode(), self.server.secret.encode()) or not slash:
            raise _refusal(403, "The URL has not the secret of this start: use the one that `autolearn proxy` printed.")
        return f"/{rest}"

    @contextmanager
    def _body(self) -> Iterator[Body]:
        declared = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not declared.isascii() or not declared.isdigit():
            raise InvalidInputError("The proxy needs a body with its Content-Length.")
        size = int(declared)
        if size > LARGEST:
            raise _refusal(413, "A body has at most 1 GiB.")
        if self.headers.get_content_type() != RAW:
            yield self.rfile.read(size) if size else None
            return
        with tempfile.NamedTemporaryFile() as file:  # it is read twice: its signature covers its SHA-256
            while size > 0 and (block := self.rfile.read(min(size, BLOCK))):
                file.write(block)
                size -= len(block)
            file.flush()
            yield FileBody.of(Path(file.name))

    def _pass_on(self, target: str, body: Body) -> None:
        headers = {"Prefer": self.headers["Prefer"]} if "Prefer" in self.headers else {}
        if EVENT_STREAM in self.headers.get("Accept", ""):
            headers["Accept"] = f"{EVENT_STREAM}, {SEALED}"
        call = self.server.client.call(self.command, target, self.headers.get("Idempotency-Key", ""))
        answer = self.server.client.send(call, body, headers)
        if not isinstance(answer, Response):  # some routes answer by events whether they are asked to or not
            self._send_events(answer)
            return
        kept = {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}
        if "Location" in kept:
            kept["Location"] = f"/{self.server.secret}{kept['Location']}"
        self._send(answer.status, answer.media, self._content(answer), kept)

    def _content(self, answer: Response) -> bytes:
        """Return what is sent; the OpenAPI page and its document, which name paths, get those of the proxy."""
        if isinstance(answer.body, dict) and "openapi" in answer.body:
            return json.dumps(answer.body | {"servers": [{"url": f"/{self.server.secret}"}]}).encode()
        if answer.body is not None:  # the same JSON, but it steers no terminal
            return visible_json(answer.content.decode()).encode()
        if answer.media == "text/html":
            return answer.content.replace(b"/openapi.json", f"/{self.server.secret}/openapi.json".encode())
        return answer.content

    def _send_events(self, events: Iterator[StreamEvent]) -> None:
        """Pass events on; once the headers are sent, a refusal can only be the last of them."""
        event = next(events, None)
        self._send_headers(200, EVENT_STREAM, {"Cache-Control": "no-store"})
        number = 0
        while event is not None:
            number += 1
            text = f"id: {number}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n"
            self.wfile.write(text.encode())
            self.wfile.flush()
            try:
                event = next(events, None)
            except ClientError as refusal:
                event = StreamEvent("problem", refusal.problem | {"status": refusal.status})

    def _send_problem(self, refusal: ClientError, headers: dict[str, str] | None = None) -> None:
        problem = json.dumps(refusal.problem | {"status": refusal.status}).encode()
        self._send(refusal.status, PROBLEM, problem, headers or {})

    def _send(self, status: int, media: str, content: bytes, headers: dict[str, str]) -> None:
        self._send_headers(status, media, {"Content-Length": str(len(content)), **headers})
        self.wfile.write(content)

    def _send_headers(self, status: int, media: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media, "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(name, value)
        self.end_headers()


def _refusal(status: int, detail: str) -> ProblemError:
    slug = SLUGS[status]
    return ProblemError(status, {"type": slug, "title": slug.replace("-", " ").capitalize(), "detail": detail})
