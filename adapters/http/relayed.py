"""The body of a call that is passed on: a small one is kept and can be sent again, a large one passes through once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from anyio import Event
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from adapters.http.routing import UPLOADS

MOST_KEPT = 64 << 20  # bytes of all calls together, whoever sends them: beyond that a body passes through
LARGEST_KEPT = 4 << 20  # a sealed JSON body of the largest size, and some that a gate has to refuse


class Room:
    """How many bytes may still be kept."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.left = most

    def take(self, size: int) -> int:
        """Take room for a body: its size, or 0 where there is not enough."""
        taken = size if size <= self.left else 0
        self.left -= taken
        return taken


@dataclass
class RelayedBody:
    """What a caller sends. `content` is what can be sent once more; None where it passes through."""

    receive: Receive
    content: bytes | None = None
    begun: bool = False
    room: Room = field(default_factory=Room)
    taken: int = 0
    _whole: Event = field(default_factory=Event)

    @classmethod
    async def of(cls, scope: Scope, receive: Receive, room: Room) -> RelayedBody:
        """Read a small body whole, if there is room; raises ClientDisconnect. Whoever has it must `close` it."""
        body = cls(receive, room=room)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"" if b"transfer-encoding" in headers else b"0")
        small = declared.isdigit() and int(declared) <= LARGEST_KEPT
        if small and (scope["method"], scope["path"]) not in UPLOADS:
            size = int(declared)
            body.taken = room.take(size)
            if body.taken == size:
                await body._keep()
        return body

    async def _keep(self) -> None:
        try:
            self.content = b"".join([chunk async for chunk in self.chunks()])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give its room back; twice is harmless."""
        self.room.left += self.taken
        self.taken = 0

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent again: the same request id is the same command, so nothing is done twice."""
        return self.content is not None or not self.begun

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read."""
        return self._whole.is_set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield it as it comes; raises ClientDisconnect."""
        self.begun = True
        while not self.is_whole:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            if not message.get("more_body", False):
                self._whole.set()
            if chunk := message.get("body", b""):
                yield chunk

    async def caller_left(self) -> None:
        """Return once the caller has hung up; while the body still comes, `chunks` finds that out."""
        await self._whole.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass
