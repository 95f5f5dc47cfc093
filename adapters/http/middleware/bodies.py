"""Bodies on their way in: measured before they are opened, compared with what the token was made for, unsealed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from autolearn.protocol.headers import JSON
from autolearn.protocol.sealing import sealed_size
from domain.errors import NotAuthenticatedError, NotJsonError, TooLargeError

LARGEST_JSON = 1 << 20
LARGEST_SEALED = sealed_size(LARGEST_JSON)
LARGEST_UPLOAD = 1 << 30


def too_large(limit: int) -> TooLargeError:
    if limit == LARGEST_UPLOAD:
        return TooLargeError("A data set has at most 1 GiB.", limit=limit)
    return TooLargeError("A JSON body has at most 1 MiB.", limit=LARGEST_JSON)


def check_declared_length(headers: dict[str, str], limit: int) -> None:
    """Refuse by Content-Length, before anything is read."""
    declared = headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared) > limit:
        raise too_large(limit)


class IncomingBody:
    """The body as it arrives: counted, hashed, refused above the limit, and at its end if it is not the signed one."""

    def __init__(self, receive: Receive, limit: int, signed_sha256: str) -> None:
        self._receive, self._limit, self._signed = receive, limit, signed_sha256
        self._digest = hashlib.sha256()
        self.size = 0
        self.is_complete = False

    async def receive(self) -> Message:
        """ASGI's `receive`; raises TooLargeError, NotAuthenticatedError, ClientDisconnect."""
        message = await self._receive()
        if self.is_complete:
            return message
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._digest.update(chunk)
        if not message.get("more_body", False):
            self.is_complete = True
            if self.sha256 != self._signed:
                raise NotAuthenticatedError("The body is not the one that the token was made for.")
        return message

    async def read(self) -> bytes:
        chunks = []
        while not self.is_complete:
            chunks.append((await self.receive()).get("body", b""))
        return b"".join(chunks)

    @property
    def sha256(self) -> str:
        """The digest (hex) of what has come."""
        return self._digest.hexdigest()


def check_json(body: bytes) -> None:
    """Raise NotJsonError for what strict JSON has not: NaN, infinities, lone surrogates, text that is no UTF-8."""
    try:
        json.dumps(json.loads(body, parse_constant=_refuse_constant), ensure_ascii=False).encode()
    except RecursionError:
        raise NotJsonError("The body is JSON, but nested too deeply.") from None
    except ValueError as wrong:
        raise NotJsonError(f"The body is no JSON: {wrong}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def replay_body(body: bytes, then: Receive) -> Receive:
    """Return a `receive` that gives the opened body once, and afterwards what the connection says."""
    is_given = False

    async def receive() -> Message:
        nonlocal is_given
        if is_given:
            return await then()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def with_json_headers(scope: dict[str, Any], size: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of the opened request."""
    kept = [(name, value) for name, value in scope["headers"] if name not in (b"content-type", b"content-length")]
    return [*kept, (b"content-type", JSON.encode()), (b"content-length", str(size).encode())]
