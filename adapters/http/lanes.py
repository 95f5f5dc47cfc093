"""Lanes: blocking work leaves the event loop, and what waits long never takes the threads of what is quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")

QUICK, WAITING, STREAMS = 32, 128, 2  # threads; made when needed, so their number costs nothing


class Lanes:
    """Threads for quick work, for work that belongs to its call for long, and for event streams that are behind."""

    def __init__(self) -> None:
        self._quick, self._waiting, self._streams = map(CapacityLimiter, (QUICK, WAITING, STREAMS))

    async def quick(self, work: Callable[[], T]) -> T:
        """Run what takes milliseconds."""
        return await to_thread.run_sync(work, limiter=self._quick)

    async def waiting(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        """Run what may last for minutes; with `abandon` whoever is cancelled does not wait for its end."""
        return await to_thread.run_sync(work, limiter=self._waiting, abandon_on_cancel=abandon)

    async def streaming(self, work: Callable[[], T]) -> T:
        """Read for an event stream that is behind; an abandoned step ends by itself within a second."""
        return await to_thread.run_sync(work, limiter=self._streams, abandon_on_cancel=True)
