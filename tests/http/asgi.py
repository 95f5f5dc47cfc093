"""A client on the other side of an ASGI application: signs and seals like a real one, and keeps all raw bytes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from adapters.http.streams.frames import split_frames
from autolearn.credentials import Credentials
from autolearn.outgoing_call import OutgoingCall
from autolearn.protocol.answer_facts import AnswerFacts
from autolearn.protocol.headers import SEALED

Message = dict[str, Any]


@dataclass
class Reply:
    """What came back for one call, as sent and (where it was sealed) opened."""

    call: OutgoingCall
    status: int
    headers: dict[str, str]
    content: bytes
    frames: list[bytes] = field(default_factory=list)

    @property
    def plain(self) -> bytes:
        self.check_seal()
        sealed = self.headers.get("content-type") == SEALED
        return self.call.unseal(self.content) if sealed else self.content

    @property
    def facts(self) -> AnswerFacts | None:
        """What the seal says of status and headers."""
        sealed = self.headers.get("autolearn-seal")
        return None if sealed is None else self.call.unseal_facts(sealed)

    def check_seal(self) -> None:
        """See that what is told outside, beside the body, is what is sealed."""
        facts = self.facts
        if facts is not None:
            assert facts.status == self.status
            for name, value in facts.headers.items():
                assert self.headers.get(name, value) == value or name == "content-type"
            assert self.frames or hashlib.sha256(self.content).hexdigest() == facts.sha256

    @property
    def head(self) -> str:
        assert self.facts is not None
        return self.facts.headers["autolearn-head"]

    @property
    def json(self) -> Any:
        return json.loads(self.plain)

    @property
    def position(self) -> int:
        return int(self.headers["autolearn-position"])

    @property
    def events(self) -> list[tuple[str, Any]]:
        return [self._event(number, frame) for number, frame in enumerate(self.frames, start=1)]

    def _event(self, number: int, frame: bytes) -> tuple[str, Any]:
        lines = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
        assert lines["id"] == str(number)
        return lines["event"], json.loads(self.unseal_event(number, lines["event"], lines["data"]))

    def unseal_event(self, number: int, name: str, data: str) -> bytes:
        return self.call.unseal_event(number, name, self.seal, data.encode())

    @property
    def seal(self) -> str:
        return self.headers["autolearn-seal"]


@dataclass
class Caller:
    """One client of an ASGI application."""

    app: Any
    credentials: Credentials
    wire: list[bytes] = field(default_factory=list)

    def get(self, target: str, **headers: str) -> Reply:
        return self.send_empty(self.outgoing("GET", target), **headers)

    def delete(self, target: str, **headers: str) -> Reply:
        return self.send_empty(self.outgoing("DELETE", target), **headers)

    def post(self, target: str, body: Any = None, *, key: str = "", **headers: str) -> Reply:
        return self.send(
            self.outgoing("POST", target, key), json.dumps({} if body is None else body).encode(), **headers
        )

    def upload(self, target: str, content: bytes, *, signed: bytes | None = None, **headers: str) -> Reply:
        return self.upload_as(self.outgoing("POST", target), content, signed=signed, **headers)

    def upload_as(self, call: OutgoingCall, content: bytes, *, signed: bytes | None = None, **headers: str) -> Reply:
        sha256 = hashlib.sha256(content if signed is None else signed).hexdigest()
        chunks = [content[n : n + 65536] for n in range(0, len(content), 65536)] or [b""]
        return self.raw(call, call.file_headers(sha256) | headers, chunks)

    def outgoing(self, method: str, target: str, key: str = "") -> OutgoingCall:
        return OutgoingCall(self.credentials, method, target, idempotency_key=key)

    def send(self, call: OutgoingCall, body: bytes, **headers: str) -> Reply:
        signed, sealed = call.seal_json(body)
        return self.raw(call, signed | headers, [sealed])

    def send_empty(self, call: OutgoingCall, **headers: str) -> Reply:
        return self.raw(call, call.headers() | headers, [b""])

    def hang_up(self, call: OutgoingCall, headers: dict[str, str], chunks: list[bytes]) -> None:
        """Send a body that never ends, and be gone."""
        exchange = _Exchange(chunks, None, unended=True)
        asyncio.run(exchange.run(self.app, _scope(call, {"Host": "localhost", **headers})))

    def leave(self, call: OutgoingCall, content: bytes, when: Callable[[], object]) -> None:
        """Send a whole file, and be gone as soon as `when` returns."""
        headers = {"Host": "localhost", **call.file_headers(hashlib.sha256(content).hexdigest())}
        exchange = _Exchange([content], None, leaving=when)
        asyncio.run(exchange.run(self.app, _scope(call, headers)))

    def together(
        self, files: Iterable[tuple[OutgoingCall, bytes]], beside: Callable[[Caller], Awaitable[None]]
    ) -> list[int]:
        """Send files at the same time, and do something beside; return the statuses."""

        async def all_of_it() -> None:
            await asyncio.gather(*(each.run(self.app, scope) for each, scope in exchanges), beside(self))

        exchanges = []
        for call, content in files:
            headers = {"Host": "localhost", **call.file_headers(hashlib.sha256(content).hexdigest())}
            exchanges.append((_Exchange([content], None), _scope(call, headers)))
        asyncio.run(all_of_it())
        return [each.status for each, _ in exchanges]

    async def asked(self, target: str) -> int:
        """Ask within a running event loop; return the status."""
        return (await self.question(target)).status

    async def question(self, target: str) -> Reply:
        """Ask within a running event loop."""
        call = self.outgoing("GET", target)
        return await self.exchanged(call, call.headers())

    async def command(self, target: str, body: Any, key: str = "", **headers: str) -> Reply:
        """Command within a running event loop."""
        call = self.outgoing("POST", target, key)
        signed, sealed = call.seal_json(json.dumps(body).encode())
        return await self.exchanged(call, signed | headers, [sealed])

    def raw(
        self,
        call: OutgoingCall,
        headers: dict[str, str],
        chunks: Iterable[bytes],
        until: Callable[[int], bool] | None = None,
    ) -> Reply:
        """Send exactly this; `until` sees every message (as the number of frames so far) and says when to hang up."""
        return asyncio.run(self.exchanged(call, headers, chunks, until))

    async def exchanged(
        self,
        call: OutgoingCall,
        headers: dict[str, str],
        chunks: Iterable[bytes] = (b"",),
        until: Callable[[int], bool] | None = None,
        *,
        stalling: bool = False,
        leaving: Callable[[], object] | None = None,
    ) -> Reply:
        """Do the same within a running event loop.

        Who is `stalling` takes nothing of the body; who sends all and is `leaving` is gone as soon as that returns.
        """
        named = {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
        exchange = _Exchange(list(chunks), until, stalling=stalling, leaving=leaving)
        await exchange.run(self.app, _scope(call, named))
        self.wire += [f"{call.method} {call.target} {named}".encode(), *exchange.sent_in, *exchange.came_out]
        return Reply(call, exchange.status, exchange.headers, b"".join(exchange.parts), exchange.frames)


@dataclass
class _Exchange:
    waiting: list[bytes]
    until: Callable[[int], bool] | None
    unended: bool = False
    leaving: Callable[[], object] | None = None
    stalling: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    sent_in: list[bytes] = field(default_factory=list)
    came_out: list[bytes] = field(default_factory=list)

    async def run(self, app: Any, scope: Message) -> None:
        self.hung_up = asyncio.Event()
        await app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        if not self.waiting:
            if self.leaving is not None:
                await asyncio.to_thread(self.leaving)
                self.hung_up.set()
            elif not self.unended:
                await self.hung_up.wait()
            return {"type": "http.disconnect"}
        chunk = self.waiting.pop(0)
        self.sent_in.append(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(self.waiting) or self.unended}

    async def send(self, message: Message) -> None:
        if self.until is not None and self.until(len(self.frames) + message.get("body", b"").count(b"event: ")):
            self.hung_up.set()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            self.came_out.append(repr(message).encode())
            return
        if self.stalling:
            await self.hung_up.wait()
        body = message.get("body", b"")
        self.parts.append(body)
        self.came_out.append(body)
        self.frames += split_frames(body) if body.startswith(b"event: ") else []


def _scope(call: OutgoingCall, headers: dict[str, str]) -> Message:
    path, _, query = call.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8420),
    }
