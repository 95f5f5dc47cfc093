"""What calls may use at a time: threads, a client's quota, and places that are given to clients in turn."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from domain.errors import NotAbleError, TooManyError

T = TypeVar("T")

SHORT, LONG, STREAMS, WATCHERS = 32, 128, 2, 2  # threads; made when needed, so their number costs nothing


class NoThreadError(NotAbleError):
    """The system gives no thread, so nothing was begun."""


class ThreadPools:
    """Blocking work leaves the event loop, and what takes long never takes the threads of what is short."""

    def __init__(self) -> None:
        self._short, self._long = CapacityLimiter(SHORT), CapacityLimiter(LONG)
        self._streams, self._watchers = CapacityLimiter(STREAMS), CapacityLimiter(WATCHERS)

    async def run(self, work: Callable[[], T]) -> T:
        """Run what takes milliseconds; raises NoThreadError."""
        return await _run_in_thread(work, self._short)

    async def run_always(self, work: Callable[[], T]) -> T:
        """Run what takes milliseconds and has to be done: where no thread can be started, in the event loop itself."""
        try:
            return await self.run(work)
        except NoThreadError:
            return work()

    async def run_long(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        """Run what may last for minutes; with `abandon` a cancelled caller does not wait for its end."""
        return await _run_in_thread(work, self._long, abandon=abandon)

    async def run_for_stream(self, work: Callable[[], T]) -> T:
        """Read for an event stream that is behind; an abandoned step ends by itself within a second."""
        return await _run_in_thread(work, self._streams, abandon=True)

    async def run_watch(self, work: Callable[[], T]) -> T:
        """Wait for a change on behalf of all who wait for it; an abandoned step ends by itself within a second."""
        return await _run_in_thread(work, self._watchers, abandon=True)


async def _run_in_thread(work: Callable[[], T], limiter: CapacityLimiter, *, abandon: bool = False) -> T:
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


class ClientQuota:
    """How many of something one client may have at a time, and all together. Used in the event loop alone.

    `what` is its name in the plural, as a sentence has it.
    """

    def __init__(self, what: str, per_client: int, in_all: int) -> None:
        self._what, self._per_client, self._in_all = what, per_client, in_all
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, client: str) -> Iterator[None]:
        """Have one; raises TooManyError where the client has its share, NotAbleError where all are taken."""
        if self._taken.total() >= self._in_all:
            raise NotAbleError(f"All {self._in_all} {self._what} of this process are taken: try again in a moment.")
        if self._taken[client] >= self._per_client:
            sentence = f"You have {self._per_client} {self._what} at a time, as many as one client may: end one first."
            raise TooManyError(sentence, limit=self._per_client)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


class FairQueue:
    """A limited number of places, given to clients in turn: nobody waits behind all that another one sent.

    Used in the event loop alone; a waiting call holds no thread.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # whose turn is next comes first

    @asynccontextmanager
    async def take(self, client: str) -> AsyncIterator[None]:
        """Have a place, once it is the client's turn."""
        await self._enter(client)
        try:
            yield
        finally:
            self._pass_on()

    async def _enter(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it was given a place in the moment it went away
            else:
                self._waiting[client].remove(turn)
                if not self._waiting[client]:
                    del self._waiting[client]
            raise

    def _pass_on(self) -> None:
        """Give the place to the next client that waits."""
        if not self._waiting:
            self._free += 1
            return
        client, turns = self._waiting.popitem(last=False)
        turns.popleft().set_result(None)
        if turns:
            self._waiting[client] = turns
