"""Pace: frames of all event streams leave one after the other, so that calls are served between any two of them."""

from __future__ import annotations

import asyncio
from time import monotonic

BURST_SECONDS = 0.002  # of frames in a row
REST_SECONDS = 0.020  # for everything else, before the next burst


class Pace:
    """Of one process; a stream that has to wait is later, and loses nothing."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._began = self._last = 0.0

    async def turn(self) -> None:
        """Wait for the turn of one more frame."""
        async with self._turn:
            now = monotonic()
            if now - self._last > REST_SECONDS:
                self._began = now
            elif now - self._began > BURST_SECONDS:
                await asyncio.sleep(REST_SECONDS)
                self._began = monotonic()
            else:
                await asyncio.sleep(0)
            self._last = monotonic()
