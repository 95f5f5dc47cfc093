"""The archive of communications in MongoDB: one row and one chain of the records of all processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pymongo
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from adapters.audit_log.filters import wanted
from adapters.audit_log.limits import limited
from adapters.distributed.as_written import TOLERANT, faults_of
from adapters.distributed.audit_log.appender import CommunicationLine, Job
from adapters.distributed.audit_log.documents import (
    COMMUNICATION,
    COMMUNICATIONS,
    LAYOUT,
    TAIL_FIELDS,
    from_document,
)
from adapters.distributed.disk_reserve import DiskReserve
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.sequenced_appender import Succession
from adapters.distributed.tail_watcher import growth_of
from adapters.log.times import microseconds_now
from domain.errors import NotAbleError
from projections.ports import Archived, Communication

RING: Final = 1000
NUMBERS: Final = ["int", "long"]
LITTLE_PATIENCE: Final = 1.0  # seconds: a call that waited in vain for MongoDB does not wait as long for its record


class MongoCommunications:
    """The archive as one process writes it, known by `writer`; any number of processes may.

    `make`: the collection with its indexes, if it is not as it must be; else it is left so, for verify to tell.
    With less free disk than `reserve` bytes (the server's, and that of `folder`) `check_able` refuses.
    """

    def __init__(
        self,
        mongo: Mongo,
        writer: str,
        reserve: int = 0,
        folder: Path | None = None,
        now: Callable[[], int] = microseconds_now,
        *,
        make: bool = True,
    ) -> None:
        strict: Collection[Fields] = mongo.collection(COMMUNICATIONS)
        if make:
            LAYOUT.ensure(mongo)
        self._records: Collection[Fields] = strict.with_options(codec_options=TOLERANT)
        self._succession = Succession(strict, CommunicationLine(strict, writer, now), TAIL_FIELDS)
        self._client = mongo.client
        self._growth = growth_of(mongo, COMMUNICATIONS)
        self._disk = DiskReserve(mongo, reserve, folder)
        self._ring: deque[Archived] = deque(maxlen=RING)
        self._ring_lock = Lock()
        self._failed = False

    def archive(self, communication: Communication) -> Archived:
        """Store one record durably, with those of other threads; raises NotAbleError (come again)."""
        job = Job(limited(communication))
        with self._noted(), pymongo.timeout(LITTLE_PATIENCE if self._seems_away() else None):
            document = self._succession.submit(job)
        self._growth.reach(document["_id"])
        return from_document(document)

    def check_able(self) -> None:
        """Raise NotAbleError where the last archiving failed and MongoDB is still away, or DiskReserveError."""
        self._disk.check()
        if self._failed:
            with self._noted():
                self._succession.read_tail()

    def recent(self, after: int) -> Sequence[Archived]:
        """Return what the ring (the last 1,000 of all processes) has after a position.

        What came since the last question is read first; while MongoDB is away the ring answers from memory.
        """
        with self._ring_lock:
            last = self._ring[-1].position if self._ring else 0
            try:
                news = self._found({"_id": {"$gt": last}}, DESCENDING, RING)
            except NotAbleError:
                if not self._ring:
                    raise
                news = []
            self._ring.extend(reversed(news))
            return [record for record in self._ring if record.position > after]

    def page(self, filters: dict[str, str], before: int | None, limit: int) -> list[Archived]:
        """Return records before a position, newest first; `since` and `until` are ISO times with zone, inclusive."""
        asked = wanted(filters)
        places: Fields = {"$gt": 0, "$lt": 2**62 if before is None else before}
        if asked.since is not None:
            places["$gt"] = self._last_until(asked.since - 1)
        if asked.until is not None:
            places["$lte"] = self._last_until(asked.until)
        return self._found({"_id": places, **asked.equal}, DESCENDING, limit)

    def read(self, after: int, limit: int) -> list[Archived]:
        """Return records in order after a position: what verify reads, so damaged ones come back too."""
        return self._found({"_id": {"$gt": after}}, ASCENDING, limit)

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the archive is longer than `position`, whoever wrote; False after `timeout` seconds."""
        return self._growth.wait_beyond(position, timeout)

    def strays(self) -> list[str]:
        """Return what is wrong with documents, whatever they are: `read` may pass them over."""
        return faults_of(self._records, COMMUNICATION)

    def _found(self, which: Fields, order: int, limit: int) -> list[Archived]:
        placed: Fields = {"$and": [{"_id": {"$type": NUMBERS}}, which]}
        with as_ours():
            found = self._records.find(placed).sort("_id", order).limit(limit)
            return [from_document(document) for document in found]

    def _last_until(self, at: int) -> int:
        """Return the position of the last record with a time <= `at` (microseconds); 0 where there is none."""
        order: list[tuple[str, Any]] = [("at", DESCENDING), ("_id", DESCENDING)]
        with as_ours():
            last = self._records.find_one({"at": {"$lte": at}, "_id": {"$gt": 0}}, {"_id": 1}, sort=order)
        return int(last["_id"]) if last else 0

    def _seems_away(self) -> bool:
        return self._failed or not self._client.topology_description.has_writable_server()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except NotAbleError:
            self._failed = True
            raise
        self._failed = False
