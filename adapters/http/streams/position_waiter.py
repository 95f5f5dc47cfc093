"""Reach: how far the read models are. Calls wait for a position as futures of the event loop; one thread looks."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from adapters.http.middleware.thread_pools import Lanes
from projections.ports import Documents

TURN_SECONDS = 1.0  # of one look, which a growth ends at once


class Reach:
    """One watcher per process, which works while somebody waits. Everything but `_look` is of the event loop."""

    def __init__(self, documents: Documents, lanes: Lanes) -> None:
        self._documents, self._lanes = documents, lanes
        self._waiting: dict[asyncio.Future[int], int] = {}
        self._watching: asyncio.Task[None] | None = None
        self.position = 0  # as it was last seen

    async def wait(self, position: int, most: float) -> bool:
        """Wait until `position` is folded in; False after `most` seconds. Raises what hinders the look."""
        if self.position >= position:
            return True
        arrival: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[arrival] = position
        self._watch()
        try:
            async with asyncio.timeout(most):
                await arrival
        except TimeoutError:
            return False
        finally:
            del self._waiting[arrival]
        return True

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._look_while_waited_for())

    async def _look_while_waited_for(self) -> None:
        while self._waiting:
            try:
                self.position = await self._lanes.watching(self._look)
            except Exception as hindrance:  # noqa: BLE001 - told to everybody who waits
                for arrival in self._waiting:
                    _settle(arrival, hindrance)
                return
            for arrival, position in self._waiting.items():
                if position <= self.position:
                    _settle(arrival, None)
            await asyncio.sleep(0)  # who was told leaves before the next look

    def _look(self) -> int:
        """Wait for the read models to go on, for a turn at most."""
        self._documents.wait(self.position + 1, TURN_SECONDS)
        return self._documents.position()


def _settle(arrival: asyncio.Future[int], hindrance: Exception | None) -> None:
    with suppress(asyncio.InvalidStateError):  # it was given up meanwhile, or told already
        if hindrance is None:
            arrival.set_result(0)
        else:
            arrival.set_exception(hindrance)
