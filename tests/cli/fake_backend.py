"""A backend on loopback without anything behind it: proves callers, opens bodies, and seals what a test prepared."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapters.security.tokens import check_time, parse_authorization, read_token
from autolearn.credentials import Credentials
from autolearn.protocol.answer_facts import AnswerFacts, is_sealed
from autolearn.protocol.headers import SEAL, SEALED
from autolearn.protocol.sealing import REQUEST, RESPONSE, event_purpose, seal, unseal

PROBLEM, RAW = "application/problem+json", "application/octet-stream"


@dataclass(frozen=True)
class Seen:
    """One request as the backend understood it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    request_id: str
    headers: dict[str, str]
    target: str


@dataclass
class Reply:
    """What to answer: JSON (sealed), or `raw` bytes, or `events`; `broken` closes the connection instead.

    `plain` leaves the seal out, and `raw` bytes have one only as a file.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media: str = SEALED
    events: list[tuple[str, Any]] | None = None
    sealed_for: str | None = None
    first_number: int = 1
    broken: bool = False
    plain: bool = False


def problem(status: int, slug: str, detail: str, **facts: Any) -> Reply:
    return Reply({"type": slug, "title": slug, "status": status, "detail": detail, **facts}, status)


def interrupt(_: Seen) -> Reply:
    """Press Ctrl-C in the thread of the command, while it waits for its answer."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    return Reply(broken=True)


Answering = Reply | Callable[[Seen], Reply]


class FakeBackend(ThreadingHTTPServer):
    """Answers each path with its prepared replies in order, the last one again and again."""

    daemon_threads = True

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.credentials = credentials
        self.replies: dict[tuple[str, str], list[Answering]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def on(self, method: str, path: str, *replies: Answering) -> None:
        """Prepare the replies of a path."""
        self.replies[method, path] += replies

    def stop(self) -> None:
        """End."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def next_reply(self, seen: Seen) -> Reply:
        """Take the next prepared reply."""
        waiting = self.replies.get((seen.method, seen.path))
        if not waiting:
            return problem(404, "not-found", f"Nothing is prepared for {seen.method} {seen.path}.")
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return reply(seen) if callable(reply) else reply


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: FakeBackend

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
        """Print nothing."""

    def _answer(self) -> None:
        seen = self._seen()
        self.server.seen.append(seen)
        reply = self.server.next_reply(seen)
        if reply.broken:
            self.connection.close()
            return
        media = "text/event-stream" if reply.events is not None else reply.media
        sent = {name.lower(): value for name, value in reply.headers.items()}
        content, seal_header = self._sealed(reply, seen, media, sent)
        self.send_response(reply.status)
        for name, value in {"content-type": media, "content-length": str(len(content)), **sent, **seal_header}.items():
            self.send_header(name, value)  # in small letters, as uvicorn writes them
        self.end_headers()
        self.wfile.write(content)

    def _sealed(self, reply: Reply, seen: Seen, media: str, sent: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        """Return the content, and the header with its seal."""
        if reply.plain or (reply.raw is not None and media not in {SEALED, RAW}):
            return reply.raw if reply.raw is not None else json.dumps(reply.body).encode(), {}
        plain = media if media != SEALED else PROBLEM if reply.status >= 400 else "application/json"
        headers = {name: value for name, value in sent.items() if is_sealed(name)} | {"content-type": plain}
        content = b"" if reply.events is not None else self._content(reply, seen, "")
        sha256 = "" if reply.events is not None else hashlib.sha256(content).hexdigest()
        facts = AnswerFacts(reply.status, headers, sha256)
        request_id = reply.sealed_for or seen.request_id
        value = facts.seal(self.server.credentials.key, request_id, seen.method, seen.target)
        return content if reply.events is None else self._content(reply, seen, value), {SEAL: value}

    def _seen(self) -> Seen:
        key = self.server.credentials.key
        presented = parse_authorization(self.headers["Authorization"])
        claims = read_token(key, presented, self.command, self.path)
        check_time(claims, datetime.now(UTC))
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body: Any = content or None
        if self.headers.get_content_type() == SEALED:
            body = json.loads(unseal(key, REQUEST, claims.request_id, self.command, self.path, content))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        return Seen(self.command, parts.path, query, body, claims.request_id, dict(self.headers), self.path)

    def _content(self, reply: Reply, seen: Seen, stream: str) -> bytes:
        key, request_id = self.server.credentials.key, reply.sealed_for or seen.request_id
        if reply.raw is not None:
            return reply.raw
        if reply.events is None:
            return seal(key, RESPONSE, request_id, seen.method, seen.target, json.dumps(reply.body).encode())
        blocks = []
        for number, (name, data) in enumerate(reply.events, reply.first_number):
            purpose = event_purpose(number, name, stream)
            token = seal(key, purpose, request_id, seen.method, seen.target, json.dumps(data).encode())
            blocks.append(b": alive\n\nid: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), token))
        return b"".join(blocks)
