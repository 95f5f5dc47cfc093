"""Lanes: blocking work leaves the event loop, and what waits long never takes the threads of what is quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from domain.errors import NotAbleError

T = TypeVar("T")

QUICK, WAITING, STREAMS = 32, 128, 2  # threads; made when needed, so their number costs nothing
WATCHERS = 2  # one looks for the read models to go on, one for the audit log


class NoThreadError(NotAbleError):
    """The system gives no thread, so nothing was begun."""


class Lanes:
    """Threads for quick work, for work that belongs to its call for long, and for event streams that are behind."""

    def __init__(self) -> None:
        self._quick, self._waiting, self._streams = map(CapacityLimiter, (QUICK, WAITING, STREAMS))
        self._watchers = CapacityLimiter(WATCHERS)

    async def quick(self, work: Callable[[], T]) -> T:
        """Run what takes milliseconds."""
        return await _in_thread(work, self._quick)

    async def certain(self, work: Callable[[], T]) -> T:
        """Run what takes milliseconds and has to be done: where no thread can be started, in the event loop itself."""
        try:
            return await self.quick(work)
        except NoThreadError:
            return work()

    async def waiting(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        """Run what may last for minutes; with `abandon` whoever is cancelled does not wait for its end."""
        return await _in_thread(work, self._waiting, abandon=abandon)

    async def streaming(self, work: Callable[[], T]) -> T:
        """Read for an event stream that is behind; an abandoned step ends by itself within a second."""
        return await _in_thread(work, self._streams, abandon=True)

    async def watching(self, look: Callable[[], T]) -> T:
        """Look for a change, for all who wait for it; an abandoned look ends by itself within a second."""
        return await _in_thread(look, self._watchers, abandon=True)


async def _in_thread(work: Callable[[], T], limiter: CapacityLimiter, *, abandon: bool = False) -> T:
    begun = False

    def begin() -> T:
        nonlocal begun
        begun = True
        return work()

    try:
        return await to_thread.run_sync(begin, limiter=limiter, abandon_on_cancel=abandon)
    except RuntimeError as failure:
        if begun:
            raise
        raise NoThreadError("No thread can be started now: repeat the call in a moment.") from failure
