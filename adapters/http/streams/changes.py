"""Which experiments change, told to the event streams that follow them: one reader of the log per process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from adapters.http.backend import Backend
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.streams.position_waiter import Reach
from domain.errors import AutoLearnError

log = logging.getLogger(__name__)

TURN_SECONDS = 1.0
PAGE = 500  # events

News = asyncio.Event


class Changes:
    """Reads the log, as far as it is folded in, while somebody follows. Used in the event loop alone."""

    def __init__(self, backend: Backend, reach: Reach, lanes: Lanes) -> None:
        self._backend, self._reach, self._lanes = backend, reach, lanes
        self._followers: dict[str, list[News]] = {}
        self._watching: asyncio.Task[None] | None = None
        self.position = 0  # up to which everybody was told

    @contextmanager
    def following(self, stream: str) -> Iterator[News]:
        """Yield what is set whenever a stream of the log has changed; at first it is, for nobody has looked yet."""
        news = News()
        news.set()
        self._followers.setdefault(stream, []).append(news)
        self._watch()
        try:
            yield news
        finally:
            self._followers[stream].remove(news)
            if not self._followers[stream]:
                del self._followers[stream]

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._read_while_followed())

    async def _read_while_followed(self) -> None:
        self.position = 0
        while self._followers:
            try:
                await self._read_on()
            except Exception as hindrance:
                if not isinstance(hindrance, AutoLearnError):
                    log.exception("reading which experiments change")
                self._tell(self._followers)  # they meet it themselves
                await asyncio.sleep(TURN_SECONDS)

    async def _read_on(self) -> None:
        if not self.position:
            self.position = await self._lanes.quick(self._backend.documents.position)
            self._tell(self._followers)  # who looked before was perhaps too early
        if await self._reach.wait(self.position + 1, TURN_SECONDS):
            page = partial(self._backend.feed.raw_after, self.position, PAGE)
            commits = [it for it in await self._lanes.quick(page) if it.position <= self._reach.position]
            self._tell({event.stream for commit in commits for event in commit.events})
            self.position = commits[-1].position if commits else self._reach.position

    def _tell(self, streams: Iterable[str]) -> None:
        for stream in streams:
            for news in self._followers.get(stream, ()):
                news.set()
