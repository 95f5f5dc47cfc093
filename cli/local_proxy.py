"""The door of `autolearn proxy`: who may pass (Host, Origin, the secret of this start), and the way through."""

from __future__ import annotations

import hmac
import json
import os
import re
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from adapters.host.printable import visible, visible_json
from autolearn.answers import Answer
from autolearn.client import Client
from autolearn.errors import ClientError, InvalidInputError, ProblemError
from autolearn.events import Event
from autolearn.outgoing_call import Body, FileBody
from autolearn.protocol.headers import EVENT_STREAM, PROBLEM, RAW, SEALED

SECRET_BYTES = 18
BLOCK = 1 << 20
LARGEST = 1 << 30
PASSED_ON = (
    "AutoLearn-Position",
    "AutoLearn-Head",
    "AutoLearn-Audit",
    "AutoLearn-Request",
    "AutoLearn-SHA256",
    "Location",
    "Retry-After",
    "Preference-Applied",
    "Allow",
)
FORWARDED = ("Prefer",)
NO_TEXT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what no value of a header may have: a folded one has a line's end
SLUGS = {403: "forbidden", 413: "too-large", 431: "too-large", 501: "method-not-allowed"}


class Door(ThreadingHTTPServer):
    """Listens on loopback alone."""

    daemon_threads = True

    def __init__(self, client: Client, port: int) -> None:
        super().__init__(("127.0.0.1", port), Passage)
        self.client = client
        self.secret = urlsafe_b64encode(os.urandom(SECRET_BYTES)).decode()
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line that a request broke off."""
        del request, client_address
        click.echo(visible(f"A request broke off: {sys.exception()!r}"), err=True)

    @property
    def url(self) -> str:
        """Where it is, with its secret."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}"


class Passage(BaseHTTPRequestHandler):
    """One request through the door."""

    server: Door
    protocol_version = "HTTP/1.0"
    server_version, sys_version = "autolearn-proxy", ""

    def do_GET(self) -> None:
        """Let a query through."""
        self._answer()

    def do_POST(self) -> None:
        """Let a command through."""
        self._answer()

    def do_DELETE(self) -> None:
        """Let a cancellation through."""
        self._answer()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP request of this door by a problem, as everything else."""
        del explain
        self.request_version = "HTTP/1.0"  # as a request line that cannot be read leaves it, no head would be sent
        detail = f"The door cannot read this request: {message or code}."
        problem = {"type": SLUGS.get(code, "bad-input"), "title": "Bad request", "detail": detail, "status": code}
        self._send(code, PROBLEM, json.dumps(problem).encode(), {"Connection": "close"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
        """Print nothing: the lines would have the secret in them."""

    def _answer(self) -> None:
        try:
            self._check_headers()
            target = self._checked_target()
            with self._body() as body:
                self._pass(target, body)
        except ClientError as refusal:
            status, problem = _told(refusal)
            self._send(status, PROBLEM, json.dumps(problem).encode(), {})

    def _check_headers(self) -> None:
        """Refuse a header that cannot be passed on; what the parser could not read stands in `defects`."""
        if self.headers.defects or any(NO_TEXT.search(name + value) for name, value in self.headers.items()):
            raise InvalidInputError("A header is one line of text, without control characters.")
        if NO_TEXT.search(self.path):
            raise InvalidInputError("A target has no control characters.")

    def _checked_target(self) -> str:
        """Return what stands behind the secret; other sites have another Origin, rebound names another Host."""
        own = {f"http://{host}" for host in self.server.hosts}
        if self.headers.get("Host") not in self.server.hosts or self.headers.get("Origin", next(iter(own))) not in own:
            raise _refusal(403, "This door is for requests from this machine that use its own URL.")
        secret, slash, rest = self.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(secret.encode(), self.server.secret.encode()) or not slash:
            raise _refusal(403, "The URL has not the secret of this start: use the one that `autolearn proxy` printed.")
        return f"/{rest}"

    @contextmanager
    def _body(self) -> Iterator[Body]:
        declared = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not declared.isascii() or not declared.isdigit():
            raise InvalidInputError("The door needs a body with its Content-Length.")
        if int(declared) > LARGEST:
            raise _refusal(413, "A body has at most 1 GiB.")
        if self.headers.get_content_type() == RAW:
            with self._kept(int(declared)) as file:
                yield FileBody.of(file)
        else:
            yield self.rfile.read(int(declared)) if int(declared) else None

    @contextmanager
    def _kept(self, size: int) -> Iterator[Path]:
        """Keep a raw file until it is sent: its signature covers its SHA-256."""
        with tempfile.NamedTemporaryFile() as file:
            while size > 0 and (block := self.rfile.read(min(size, BLOCK))):
                file.write(block)
                size -= len(block)
            file.flush()
            yield Path(file.name)

    def _pass(self, target: str, body: Body) -> None:
        client = self.server.client
        headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
        call = client.call(self.command, target, self.headers.get("Idempotency-Key", ""))
        if EVENT_STREAM in self.headers.get("Accept", ""):
            headers["Accept"] = f"{EVENT_STREAM}, {SEALED}"
        answer = client.send(call, body, headers)
        if not isinstance(answer, Answer):  # some routes answer by events whether they are asked to or not
            self._stream(answer)
            return
        kept = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        if "Location" in kept:
            kept["Location"] = f"/{self.server.secret}{kept['Location']}"
        self._send(answer.status, answer.media, self._in_place(answer), kept)

    def _in_place(self, answer: Answer) -> bytes:
        """Let the OpenAPI page and its document, which name paths, name those of the door."""
        if isinstance(answer.body, dict) and "openapi" in answer.body:
            return json.dumps(answer.body | {"servers": [{"url": f"/{self.server.secret}"}]}).encode()
        if answer.body is not None:  # the same JSON; who reads it on a terminal is not steered by it
            return visible_json(answer.content.decode()).encode()
        if answer.media == "text/html":
            return answer.content.replace(b"/openapi.json", f"/{self.server.secret}/openapi.json".encode())
        return answer.content

    def _stream(self, events: Iterator[Event]) -> None:
        """Pass events on; once the head is sent, a refusal can only be the last of them."""
        first = next(events, None)
        self._head(200, EVENT_STREAM, {"Cache-Control": "no-store"})
        number = 0
        try:
            while first is not None:
                number += 1
                self._send_event(number, first)
                first = next(events, None)
        except ClientError as refusal:
            self._send_event(number + 1, Event("problem", _told(refusal)[1]))

    def _send_event(self, number: int, event: Event) -> None:
        text = f"id: {number}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n"
        self.wfile.write(text.encode())
        self.wfile.flush()

    def _send(self, status: int, media: str, content: bytes, headers: dict[str, str]) -> None:
        self._head(status, media, {"Content-Length": str(len(content)), **headers})
        self.wfile.write(content)

    def _head(self, status: int, media: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media, "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(name, value)
        self.end_headers()


def _refusal(status: int, detail: str) -> ProblemError:
    return ProblemError(status, {"type": SLUGS[status], "title": SLUGS[status], "detail": detail})


def _told(refusal: ClientError) -> tuple[int, dict[str, Any]]:
    """Return status and problem, which says its status like those of the backend."""
    return refusal.status, refusal.problem | {"status": refusal.status}
