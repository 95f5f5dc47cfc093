"""Turns: a limited number of places, given to clients in turn: nobody waits behind all that another one sent."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Turn = asyncio.Future[None]


class Turns:
    """Used in the event loop alone; who waits holds no thread."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()  # whose turn is next comes first

    @asynccontextmanager
    async def taking(self, client: str) -> AsyncIterator[None]:
        """Have a place, once it is the client's turn."""
        await self._come(client)
        try:
            yield
        finally:
            self._leave()

    async def _come(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # it was given a place in the moment it went away
            else:
                self._forget(client, turn)
            raise

    def _forget(self, client: str, turn: Turn) -> None:
        self._waiting[client].remove(turn)
        if not self._waiting[client]:
            del self._waiting[client]

    def _leave(self) -> None:
        """Give the place to the next client that waits."""
        if not self._waiting:
            self._free += 1
            return
        client, turns = self._waiting.popitem(last=False)
        turns.popleft().set_result(None)
        if turns:
            self._waiting[client] = turns
