"""The gateway keeps bodies of all calls together up to a limit; what has no room passes through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from adapters.http.relayed import RelayedBody, Room


def body_of(size: int, room: Room, *, leaves: bool = False) -> RelayedBody:
    scope = {"method": "POST", "path": "/trainings", "headers": [(b"content-length", str(size).encode())]}

    async def receive() -> Any:
        return {"type": "http.disconnect"} if leaves else {"type": "http.request", "body": bytes(size)}

    return asyncio.run(RelayedBody.of(scope, receive, room))


def test_room_is_taken_and_given_back() -> None:
    room = Room(100)
    first, second, empty = body_of(60, room), body_of(60, room), body_of(0, room)
    assert (first.content, second.content, empty.content) == (bytes(60), None, b"")
    assert second.is_repeatable  # as long as nothing of it was sent
    assert room.left == 40
    for body in (first, first, second, empty):
        body.close()
    assert room.left == 100
    assert body_of(100, room).content == bytes(100)


def test_who_leaves_takes_no_room() -> None:
    room = Room(100)
    with pytest.raises(ClientDisconnect):
        body_of(60, room, leaves=True)
    assert room.left == 100
