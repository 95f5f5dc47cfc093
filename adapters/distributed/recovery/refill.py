"""A log of an empty database filled again from a copy of it, with the same positions, times, ids and hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from adapters.distributed.document_format import UNDECODED
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.log.sequenced_appender import DUPLICATE_KEY
from adapters.distributed.mongo import Fields, as_ours
from adapters.distributed.topics.scan import Finding
from adapters.host.retry import Retry
from adapters.log.chain import E
from domain.errors import ConflictError, NotAbleError
from projections.garbage_collection import gc_paused

BATCH: Final = 2000  # documents of one write
BATCH_BYTES: Final = 16 * 1024 * 1024


@dataclass
class Refill(Generic[E]):
    """One log filled from a copy; `copy` is its name in sentences. Afterwards `count` entries are stored up to `last`.

    Documents that are there already, from a run that was interrupted, must be the same.
    """

    collection: Collection[Fields]
    schema: MongoLogSchema[E]
    copy: str
    count: int = 0
    last: E | None = None
    _damage: ConflictError | None = None
    _stored: int = 0  # the last place that is taken already

    def __post_init__(self) -> None:
        self._chain = self.schema.chain()

    def run(self, found: Iterable[E | Finding]) -> Iterator[int]:
        """Yield the position reached, after each write. Raises ConflictError, NotAbleError.

        While MongoDB writes, the copy is read on. What comes before damage is stored.
        """
        wanted = iter(found)
        self._stored = self._last_place()
        with ThreadPoolExecutor(1, "recovery") as pool:
            batch = self._next_batch(wanted)
            while batch:
                writing = pool.submit(self._write, batch)
                batch = self._next_batch(wanted)
                writing.result()
                if batch:
                    yield self.position
        if self._damage is not None:
            raise self._damage
        beyond = self._last_place()
        if beyond > self.position:
            raise self.differs(beyond)
        yield self.position

    @property
    def position(self) -> int:
        return self.last.position if self.last else 0

    @gc_paused()
    def _next_batch(self, wanted: Iterator[E | Finding]) -> list[RawBSONDocument]:
        """Return the next documents, [] at the end; damage ends them and is noted."""
        batch: list[RawBSONDocument] = []
        size = 0
        while self._damage is None and len(batch) < BATCH and size < BATCH_BYTES and (it := next(wanted, None)):
            what = it[1] if isinstance(it, tuple) else self._chain.fault(it)
            if what is not None:
                self._damage = self.damaged(it[0] if isinstance(it, tuple) else it.position, what)
            elif not isinstance(it, tuple):
                document = encode(self.schema.to_document(it))
                batch.append(RawBSONDocument(document))
                size += len(document)
                self.count, self.last = self.count + 1, it
        return batch

    def _write(self, batch: list[RawBSONDocument]) -> None:
        missing = self._missing(batch) if batch[0]["_id"] <= self._stored else batch
        with as_ours():
            for _ in Retry().attempts():
                try:
                    if missing:
                        self.collection.insert_many(missing, ordered=True)
                except BulkWriteError as clash:
                    # A document came there meanwhile: the last write of a recovery that was killed a moment ago.
                    wrong = clash.details["writeErrors"]
                    if not wrong or wrong[0]["code"] != DUPLICATE_KEY or "_id" not in wrong[0]["keyPattern"]:
                        raise
                    missing = self._missing(batch)
                else:
                    return
        raise NotAbleError("Another recovery writes to the same database: end one of them.")

    def _missing(self, batch: list[RawBSONDocument]) -> list[RawBSONDocument]:
        """Return which are not there yet; raises ConflictError where another one is in the place of one."""
        places = {"_id": {"$gte": batch[0]["_id"], "$lte": batch[-1]["_id"]}}
        stored = self.collection.with_options(codec_options=UNDECODED)
        with as_ours():
            there = {it["_id"]: it for it in stored.find(places)}
        for document in batch:
            if there.get(document["_id"], document) != document:
                raise self.differs(document["_id"])
        return [document for document in batch if document["_id"] not in there]

    def _last_place(self) -> int:
        with as_ours():
            last = self.collection.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
        return 0 if last is None else int(last["_id"])

    def differs(self, position: int) -> ConflictError:
        """Return the error of a database that has something else at a position."""
        return ConflictError(
            f"The database {self.collection.database.name!r} holds at position {position} something else than "
            f"{self.copy}: drop the database and begin again with an empty one.",
            position=position,
        )

    def damaged(self, position: int | None, what: str) -> ConflictError:
        """Return the error of a copy that is damaged; None: where is not known."""
        place = f"after position {self.position}" if position is None else f"at position {position}"
        return ConflictError(f"The {self.schema.title} of {self.copy} is damaged {place}: {what}.", position=position)
