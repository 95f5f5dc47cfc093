"""The audit log in MongoDB: one chain of the records of all processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

import pymongo
from pymongo import DESCENDING
from pymongo.collection import Collection

from adapters.audit_log.chain import record_after
from adapters.audit_log.limits import limited
from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.audit_log.search import search
from adapters.distributed.disk_reserve import DiskReserve
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.sequenced_appender import SequencedAppender
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.log.chain import LastEntry
from adapters.log.group_commit import Pending
from adapters.log.times import microseconds_now
from domain.errors import BadInputError, NotAbleError
from projections.ports import AuditRecord, StoredAuditRecord

RING: Final = 1000
SHORT_SECONDS: Final = 1.0  # a call that waited in vain for MongoDB does not wait as long for its record

Job = Pending[AuditRecord, StoredAuditRecord]


class MongoAuditLog(MongoLogReader[StoredAuditRecord]):
    """The audit log as one process writes it, known by `writer`; any number of processes may.

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
        super().__init__(mongo, AUDIT_LOG)
        if make:
            AUDIT_LOG.collection.ensure(mongo)
        collection = mongo.collection(AUDIT_LOG.name)
        self._appender = SequencedAppender(collection, AUDIT_LOG, MongoRecordPlanner(collection, writer, now))
        self._client = mongo.client
        self._disk = DiskReserve(mongo, reserve, folder)
        self._ring: deque[StoredAuditRecord] = deque(maxlen=RING)
        self._ring_lock = Lock()
        self._failed = False

    def append(self, record: AuditRecord) -> StoredAuditRecord:
        seems_away = self._failed or not self._client.topology_description.has_writable_server()
        with self._noted(), pymongo.timeout(SHORT_SECONDS if seems_away else None):
            stored = self._appender.append(limited(record))
        self._watcher.reach(stored.position)
        return stored

    def check_able(self) -> None:
        """Raise NotAbleError where the last append failed and MongoDB is still away, or DiskReserveError."""
        self._disk.check()
        if self._failed:
            with self._noted():
                self._appender.read_last()

    def recent(self, after: int) -> Sequence[StoredAuditRecord]:
        """Return what the ring (the last 1,000 of all processes) has after a position.

        What came since the last question is read first; while MongoDB is away the ring answers from memory.
        """
        with self._ring_lock:
            last = self._ring[-1].position if self._ring else 0
            try:
                news = self.find({"$gt": last}, limit=RING, newest=True)
            except NotAbleError:
                if not self._ring:
                    raise
                news = []
            self._ring.extend(self.schema.from_document(document) for document in reversed(news))
            return [record for record in self._ring if record.position > after]

    def page(self, filters: dict[str, str], before: int | None, limit: int) -> list[StoredAuditRecord]:
        return search(self, filters, before, limit)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except NotAbleError:
            self._failed = True
            raise
        self._failed = False


class MongoRecordPlanner:
    """Gives each record its number among this writer's.

    It knows the writer's last number, as long as it knows what became of all that it planned.
    """

    def __init__(self, collection: Collection[Fields], writer: str, now: Callable[[], int]) -> None:
        self._collection, self._writer, self._now = collection, writer, now
        self._number: int | None = None  # the writer's last one; None: ask for it
        self._planned: list[Job] = []

    def plan(self, last: LastEntry, jobs: Sequence[Job]) -> list[tuple[Job, StoredAuditRecord]]:
        number, now, planned = self._last_number(), self._now(), list[tuple[Job, StoredAuditRecord]]()
        for job in jobs:
            try:
                record = record_after(last, self._writer, number + 1, job.input, now)
            except UnicodeError as wrong:
                job.refusal = BadInputError(f"An audit record holds a text that is not Unicode: {wrong}.")
            else:
                last, number = LastEntry.of(record), number + 1
                planned.append((job, record))
        self._planned = [job for job, _ in planned]
        return planned

    def refusal(self, job: Job) -> None:  # noqa: ARG002 - whichever job it was
        """Ask anew for the last number: this one is taken, so an insert that was given up for lost has arrived."""
        self._planned, self._number = [], None

    def _last_number(self) -> int:
        stored = [job.entry for job in self._planned if job.entry is not None]
        if self._number is None or any(job.refusal is not None for job in self._planned):  # an insert of unknown end
            with as_ours():
                last = self._collection.find_one({"writer": self._writer}, {"number": 1}, sort=[("number", DESCENDING)])
            self._number = int(last["number"]) if last else 0
        elif stored:
            self._number = stored[-1].number
        self._planned = []
        return self._number
