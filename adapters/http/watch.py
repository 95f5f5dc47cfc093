"""The gateway's watch over instances at which calls wait: whether one that is silent still says that it lives.

A call may wait for a minute and more, so silence alone means nothing; a process that is frozen answers nothing at all.
"""

from __future__ import annotations

import asyncio
import logging

import httpx

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds of silence before it is asked, and between two questions
LOOK_SECONDS = 2.0  # in which it says that it lives
LIVE = "/health/live"


class Watch:
    """Knows which instances, named by their base URLs, stand still."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._heard: dict[str, float] = {}
        self._looks: dict[str, asyncio.Task[bool]] = {}
        self._returns: dict[str, asyncio.Task[None]] = {}

    def is_still(self, base: str) -> bool:
        """Whether it did not answer when it was last asked."""
        return base in self._returns

    async def silence(self, base: str, most: float) -> None:
        """Return once it does not say that it lives, and did not for so many seconds."""
        began = now()
        while True:
            heard = max(began, self._heard.get(base, began))
            if (rest := heard + PAUSE - now()) > 0:
                await asyncio.sleep(rest)
            elif not await self.lives(base):
                if now() - heard >= most:
                    return
                await asyncio.sleep(PAUSE)

    async def lives(self, base: str) -> bool:
        """Ask it, once for all who want to know now."""
        if base not in self._looks:
            look = self._looks[base] = asyncio.create_task(self._look(base))
            look.add_done_callback(lambda _: self._looks.pop(base))
        return await asyncio.shield(self._looks[base])

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [*self._looks.values(), *self._returns.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, base: str) -> bool:
        try:
            await self._client.get(base + LIVE, timeout=LOOK_SECONDS)
        except httpx.HTTPError as silent:
            if not self.is_still(base):
                log.warning("%s stands still: %r", base, silent)
                self._returns[base] = asyncio.create_task(self._await_return(base))
            return False
        self._heard[base] = now()
        return True

    async def _await_return(self, base: str) -> None:
        """Ask it until it answers."""
        lives = False
        try:
            while not lives:
                await asyncio.sleep(PAUSE)
                lives = await self.lives(base)
        finally:
            del self._returns[base]
        log.warning("%s answers again", base)


def now() -> float:
    """Return seconds of the event loop's clock."""
    return asyncio.get_running_loop().time()
