"""The archive as event streams follow it: one reader per process, and each record becomes a frame once for all."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any

from adapters.http.middleware.thread_pools import Lanes
from adapters.http.routes.request_schemas import MOST_ROWS
from adapters.http.streams.frames import frame
from domain.errors import AutoLearnError
from projections.ports import Archived, Communications

log = logging.getLogger(__name__)

TURN_SECONDS = 1.0
KEPT = 1000  # records in memory; who is further behind reads the archive


def told(archived: Archived) -> dict[str, Any]:
    """Return a record as the log shows it."""
    facts = asdict(archived.communication)
    return {"position": archived.position, "at": archived.at.isoformat(), **facts, "writer": archived.writer}


class Entry:
    """A record, and its frame."""

    def __init__(self, record: Archived) -> None:
        self.record = record
        self.position = record.position

    @cached_property
    def frame(self) -> bytes:
        """The plain frame: each stream seals it for itself."""
        return frame("communication", told(self.record))


class LogFeed:
    """Reads what comes while somebody follows; everything but `_look` is of the event loop."""

    def __init__(self, communications: Communications, lanes: Lanes) -> None:
        self._communications, self._lanes = communications, lanes
        self._kept: list[Entry] = []
        self._followers = 0
        self._grown = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @contextmanager
    def following(self) -> Iterator[None]:
        """Let the archive be read for one more stream."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    async def after(self, place: int) -> Sequence[Entry]:
        """Return what came after a place, in order; nothing where nothing came within a turn."""
        self._watch()
        if not self._has_beyond(place):
            grown = self._grown
            try:
                async with asyncio.timeout(TURN_SECONDS):
                    await grown.wait()
            except TimeoutError:
                return ()
        if self._kept and self._kept[0].position <= place + 1:
            return self._kept[bisect_right(self._kept, place, key=lambda entry: entry.position) :]
        read = partial(self._communications.read, place, MOST_ROWS)
        return [Entry(record) for record in await self._lanes.streaming(read)]

    def _has_beyond(self, place: int) -> bool:
        return bool(self._kept) and self._kept[-1].position > place

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._kept.clear()
            self._watching = asyncio.create_task(self._read_while_followed())

    async def _read_while_followed(self) -> None:
        while self._followers:
            last = self._kept[-1].position if self._kept else 0
            try:
                news = await self._lanes.watching(partial(self._look, last))
            except Exception as hindrance:
                if not isinstance(hindrance, AutoLearnError):
                    log.exception("reading the audit log")
                await asyncio.sleep(TURN_SECONDS)
                continue
            if news:
                self._keep(news)

    def _keep(self, news: Sequence[Archived]) -> None:
        if self._kept and news[0].position > self._kept[-1].position + 1:
            self._kept.clear()  # more came between two looks than the archive has in memory
        self._kept += [Entry(record) for record in news]
        del self._kept[:-KEPT]
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def _look(self, last: int) -> Sequence[Archived]:
        """Wait for the archive to grow, for a turn at most."""
        self._communications.wait_beyond(last, TURN_SECONDS)
        return self._communications.recent(last)
