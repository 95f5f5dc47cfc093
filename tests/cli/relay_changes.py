"""What a relay may do to an answer: one thing each, named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

from tests.cli.relay import Answered, Change

STATUSES = (200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 409, 413, 422, 431, 500, 503, 507)
TOLD = ("autolearn-position", "autolearn-request", "autolearn-head", "autolearn-sha256", "autolearn-audit",
        "location", "retry-after", "preference-applied", "allow", "content-type", "autolearn-seal")  # fmt: skip


def status_to(status: int) -> Change:
    return lambda it: replace(it, status=status).raw if it.status != status else b""


def header_to(name: str, value: str) -> Change:
    return lambda it: it.having(name, value).raw if it.header(name) != value else b""


def header_gone(name: str) -> Change:
    return lambda it: it.without(name).raw if it.header(name) else b""


def header_twice(name: str) -> Change:
    def twice(it: Answered) -> bytes:
        other = "99" if it.header(name).isdigit() else "application/json" if name == "content-type" else "x"
        return replace(it, headers=(*it.headers, (name, other))).raw if name != "content-type" else b""

    return twice


def body_to(change: Callable[[bytes], bytes]) -> Change:
    return lambda it: it.of(change(it.body)).raw if it.body else b""


def flipped(place: float) -> Callable[[bytes], bytes]:
    def flip(body: bytes) -> bytes:
        at = int(place * (len(body) - 1))
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    return flip


def seal_flipped(it: Answered) -> bytes:
    seal = bytearray(base64.urlsafe_b64decode(it.header("autolearn-seal")))
    seal[len(seal) // 2] ^= 1
    return it.having("autolearn-seal", base64.urlsafe_b64encode(bytes(seal)).decode()).raw


def in_plain(status: int, media: str = "application/problem+json") -> Change:
    forged = {"type": "conflict", "detail": "Forged.", "status": status, "state": "completed", "ok": True}
    body = json.dumps(forged | {"position": 2**60, "experiment": "x"}).encode()
    headers = (("content-type", media), ("autolearn-position", str(2**60)), ("autolearn-head", "ab" * 32))
    return lambda _: Answered(status, headers, b"").of(body).raw


CHANGES: dict[str, Change] = {
    **{f"status {status}": status_to(status) for status in STATUSES},
    **{f"{name} gone": header_gone(name) for name in TOLD if name != "content-type"},
    **{f"{name} twice": header_twice(name) for name in TOLD},
    **{f"{name} {value}": header_to(name, value) for name in TOLD for value in ("", "1", str(2**60))},
    **{f"content-type {it}": header_to("content-type", it) for it in
       ("application/json", "application/problem+json", "text/event-stream", "application/octet-stream", "text/html",
        "application/vnd.autolearn.sealed")},
    **{f"body flipped at {place}": body_to(flipped(place)) for place in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)},
    "body empty": body_to(lambda _: b""),
    "body cut": body_to(lambda body: body[:-1]),
    "body halved": body_to(lambda body: body[: len(body) // 2]),
    "body longer": body_to(lambda body: body + b"="),
    "body twice": body_to(lambda body: body * 2),
    "body of JSON": body_to(lambda _: b'{"state": "completed", "ok": true, "experiment": "x", "experiments": []}'),
    "seal flipped": seal_flipped,
    "connection cut at once": lambda _: b"",
    "connection cut in the head": lambda it: it.raw[:40],
    "connection cut in the body": lambda it: it.raw[:-5],
    "chunks cut": lambda it: it.chunked[:-7],
    "no end": lambda it: replace(it.without("content-length"), body=it.body[: len(it.body) // 2]).raw,
    **{f"plain {status}": in_plain(status) for status in STATUSES},
    **{f"plain JSON {status}": in_plain(status, "application/json") for status in (200, 201, 202, 404, 409, 503)},
    "plain events": lambda _: Answered(200, (("content-type", "text/event-stream"),), b"").of(
        b'event: result\nid: 1\ndata: {"ok": true}\n\n').raw,
    "plain file": lambda _: Answered(200, (("content-type", "application/octet-stream"),), b"").of(b"x").raw,
}  # fmt: skip
HARMLESS: dict[str, Change] = {
    "other chunks": lambda it: it.chunked,
    "close-delimited": lambda it: it.without("content-length").raw,
    "another server": header_to("server", "nginx"),
    "another date": header_to("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "via": header_to("via", "1.1 proxy"),
}
