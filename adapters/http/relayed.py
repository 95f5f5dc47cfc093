"""The body of a call that is passed on: a small one is kept and can be sent again, a large one passes through once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from anyio import Event
from starlette.types import Receive, Scope

from adapters.http.bodies import GoneError
from adapters.http.routing import UPLOADS

LARGEST_KEPT = 4 << 20  # a sealed JSON body of the largest size, and some that a gate has to refuse


@dataclass
class RelayedBody:
    """What a caller sends. `content` is what can be sent once more; None where it passes through."""

    receive: Receive
    content: bytes | None = None
    begun: bool = False
    _whole: Event = field(default_factory=Event)

    @classmethod
    async def of(cls, scope: Scope, receive: Receive) -> RelayedBody:
        """Read a small body whole; raises GoneError."""
        body = cls(receive)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"" if b"transfer-encoding" in headers else b"0")
        small = declared.isdigit() and int(declared) <= LARGEST_KEPT
        if small and (scope["method"], scope["path"]) not in UPLOADS:
            body.content = b"".join([chunk async for chunk in body.chunks()])
        return body

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent again: the same request id is the same command, so nothing is done twice."""
        return self.content is not None or not self.begun

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read."""
        return self._whole.is_set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield it as it comes; raises GoneError."""
        self.begun = True
        while not self.is_whole:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            if not message.get("more_body", False):
                self._whole.set()
            if chunk := message.get("body", b""):
                yield chunk

    async def caller_left(self) -> None:
        """Return once the caller has hung up; while the body still comes, `chunks` finds that out."""
        await self._whole.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass
