"""What calls and streams wait for: read models that go on, experiments that change, an audit log that grows.

One task per process looks while somebody waits; waiting holds no thread.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any

from adapters.http.backend import Backend
from adapters.http.middleware.limits import ThreadPools
from adapters.http.streams.frames import make_frame
from domain.errors import AutoLearnError
from projections.ports import MOST_PAGE_ROWS, AuditLog, Documents, StoredAuditRecord

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # of one look, which a change ends at once
PAGE = 500  # events
IN_MEMORY = 1000  # records; a stream that is further behind reads the store


class SharedWatch:
    """Looks again and again, in one task, while somebody waits for what a look may bring. Used in the event loop."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._task: asyncio.Task[None] | None = None

    async def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until a look has made `until` true; False after `seconds`. Raises what the look raises."""
        if until():
            return True
        arrival = asyncio.get_running_loop().create_future()
        self._waiting[arrival] = until
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(seconds):
                await arrival
        except TimeoutError:
            return until()  # a look may have ended since the time was over
        finally:
            del self._waiting[arrival]
        return True

    async def _run(self) -> None:
        while self._waiting:
            try:
                await self._look()
            except Exception as failure:  # noqa: BLE001 - raised to everybody who waits
                for arrival in self._waiting:
                    if not arrival.done():
                        arrival.set_exception(failure)
                return
            for arrival, until in self._waiting.items():
                if until() and not arrival.done():
                    arrival.set_result(None)
            await asyncio.sleep(0)  # those whose wait is over leave before the next look


class ReadModelWatch:
    """How far the read models are."""

    def __init__(self, documents: Documents, pools: ThreadPools) -> None:
        self._documents, self._pools = documents, pools
        self._watch = SharedWatch(self._look)
        self.position = 0  # as it was last seen

    async def wait(self, position: int, seconds: float) -> bool:
        """Wait until `position` is folded in; False after `seconds`. Raises what prevents the look."""
        return await self._watch.wait(lambda: self.position >= position, seconds)

    async def _look(self) -> None:
        self.position = await self._pools.run_watch(self._wait_for_next)

    def _wait_for_next(self) -> int:
        self._documents.wait(self.position + 1, LOOK_SECONDS)
        return self._documents.position()


class ExperimentWatch:
    """Which of the followed experiments have changed: one reader of the log, as far as it is folded in."""

    def __init__(self, backend: Backend, read_models: ReadModelWatch, pools: ThreadPools) -> None:
        self._backend, self._read_models, self._pools = backend, read_models, pools
        self._watch = SharedWatch(self._look)
        self._followers: Counter[str] = Counter()
        self._changed: dict[str, int] = {}  # the position of each followed stream's last change that was seen
        self.position = 0  # up to which the log was read

    @contextmanager
    def follow(self, stream: str) -> Iterator[None]:
        """Take note of the changes of one stream of the log."""
        if not self._followers:
            self.position = 0
        self._followers[stream] += 1
        self._changed[stream] = self.position  # what changed before was not noted, so `wait` must not rule it out
        try:
            yield
        finally:
            self._followers[stream] -= 1
            if not self._followers[stream]:
                del self._followers[stream], self._changed[stream]

    async def wait(self, stream: str, seen: int, seconds: float) -> bool:
        """Wait for a change of a followed stream after the position `seen`; False where there was none until now.

        Where the log cannot be read the answer is True, so that the caller looks, and meets what prevents it.
        """
        try:
            return await self._watch.wait(lambda: self._changed[stream] > seen, seconds)
        except Exception as failure:
            if not isinstance(failure, AutoLearnError):
                logger.exception("reading which experiments change")
            await asyncio.sleep(LOOK_SECONDS)
            return True

    async def _look(self) -> None:
        if not self.position:
            self.position = await self._pools.run(self._backend.documents.position)
            self._changed = dict.fromkeys(self._changed, self.position)
        elif await self._read_models.wait(self.position + 1, LOOK_SECONDS):
            page = partial(self._backend.feed.raw_after, self.position, PAGE)
            folded = self._read_models.position
            commits = [commit for commit in await self._pools.run(page) if commit.position <= folded]
            for commit in commits:
                changed = {event.stream for event in commit.events}
                self._changed.update(dict.fromkeys(changed & self._changed.keys(), commit.position))
            self.position = commits[-1].position if commits else folded


def to_jsonable(stored: StoredAuditRecord) -> dict[str, Any]:
    """Return a record as the log shows it."""
    facts = asdict(stored.content)
    return {"position": stored.position, "at": stored.at.isoformat(), **facts, "writer": stored.writer}


class AuditEntry:
    """A record of the audit log; its plain frame is made once, and each stream seals it for itself."""

    def __init__(self, record: StoredAuditRecord) -> None:
        self.record = record
        self.position = record.position

    @cached_property
    def frame(self) -> bytes:
        return make_frame("communication", to_jsonable(self.record))


class AuditLogWatch:
    """The newest records of the audit log, read once for all streams that follow it."""

    def __init__(self, audit_log: AuditLog, pools: ThreadPools) -> None:
        self._audit_log, self._pools = audit_log, pools
        self._watch = SharedWatch(self._look)
        self._entries: list[AuditEntry] = []

    async def after(self, position: int) -> Sequence[AuditEntry]:
        """Return what came after a position, in order; nothing where nothing came within a second."""
        try:
            if not await self._watch.wait(lambda: self._last > position, LOOK_SECONDS):
                return ()
        except Exception as failure:
            if not isinstance(failure, AutoLearnError):
                logger.exception("reading the audit log")
            await asyncio.sleep(LOOK_SECONDS)
            return ()
        if self._entries[0].position <= position + 1:
            return self._entries[bisect_right(self._entries, position, key=lambda entry: entry.position) :]
        read = partial(self._audit_log.read, position, MOST_PAGE_ROWS)
        return [AuditEntry(record) for record in await self._pools.run_for_stream(read)]

    @property
    def _last(self) -> int:
        return self._entries[-1].position if self._entries else 0

    async def _look(self) -> None:
        last = self._last
        if news := await self._pools.run_watch(partial(self._wait_for_news, last)):
            if news[0].position > last + 1:
                self._entries.clear()  # more came between two looks than the audit log has in memory
            self._entries += [AuditEntry(record) for record in news]
            del self._entries[:-IN_MEMORY]

    def _wait_for_news(self, last: int) -> Sequence[StoredAuditRecord]:
        self._audit_log.wait_beyond(last, LOOK_SECONDS)
        return self._audit_log.recent(last)
