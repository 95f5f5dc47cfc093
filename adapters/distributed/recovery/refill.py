"""One log filled again from its topic, in order, each document as its own writer would have stored it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic

from bson import encode
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from adapters.distributed.log.schema import LogSchema
from adapters.distributed.log.sequenced_appender import DUPLICATE_KEY
from adapters.distributed.mongo import Fields, as_ours
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.topics.scan import Finding
from adapters.host.retry import Retry
from adapters.log.chain import E, Entry
from domain.errors import ConflictError, NotAbleError

BATCH: Final = 500  # documents of one write
BATCH_BYTES: Final = 16 * 1024 * 1024


@dataclass
class Refill(Generic[E]):
    """One log filled again. Afterwards `count` entries are stored, and `last` is the last.

    `until`: what comes after this position is given up, damaged or not; `option` is what says so on the command line.
    Documents that are there already, from a run that was interrupted, must be the same.
    """

    collection: Collection[Fields]
    schema: LogSchema[E]
    topic: str
    until: int | None = None
    option: str = ""
    count: int = 0
    last: E | None = None
    _batch: list[Fields] = field(default_factory=list)
    _bytes: int = 0

    def __post_init__(self) -> None:
        self._chain = self.schema.chain()

    def run(self, found: Iterable[E | Finding]) -> Iterator[int]:
        """Yield the position reached, after each write. Raises DamagedTopic, ConflictError, NotAbleError."""
        for it in self._wanted(found):
            what = it[1] if isinstance(it, tuple) else self._chain.fault(it)
            if what is not None:
                self._write()
                raise self._damaged(it, what)
            if not isinstance(it, tuple):
                self._take(it)
            if len(self._batch) >= BATCH or self._bytes >= BATCH_BYTES:
                self._write()
                yield self.position
        self._write()
        self._check_end()
        yield self.position

    @property
    def position(self) -> int:
        """The position that is reached."""
        return self.last.position if self.last else 0

    def _wanted(self, found: Iterable[E | Finding]) -> Iterator[E | Finding]:
        """Yield what comes before the end that was asked for."""
        for it in found:
            if self.until is not None and (self.position >= self.until or _beyond(it, self.until)):
                return
            yield it

    def _take(self, it: E) -> None:
        document = self.schema.to_document(it)
        self._batch.append(document)
        self._bytes += len(encode(document))
        self.count, self.last = self.count + 1, it

    def _write(self) -> None:
        batch, self._batch, self._bytes = self._batch, [], 0
        with as_ours():
            for _ in Retry().attempts():
                missing = self._missing(batch)
                try:
                    if missing:
                        self.collection.insert_many(missing, ordered=True)
                except BulkWriteError as clash:
                    # A document came there meanwhile: the last write of a recovery that was killed a moment ago.
                    wrong = clash.details["writeErrors"]
                    if not wrong or wrong[0]["code"] != DUPLICATE_KEY or "_id" not in wrong[0]["keyPattern"]:
                        raise
                else:
                    return
        raise NotAbleError("Another recovery writes to the same database: end one of them.")

    def _missing(self, batch: Sequence[Fields]) -> list[Fields]:
        """Return which are not there yet; raises ConflictError where another one is in the place of one."""
        if not batch:
            return []
        places = {"_id": {"$gte": batch[0]["_id"], "$lte": batch[-1]["_id"]}}
        there = {it["_id"]: it for it in self.collection.find(places)}
        for document in batch:
            if there.get(document["_id"], document) != document:
                raise self._other(document["_id"])
        return [document for document in batch if document["_id"] not in there]

    def _check_end(self) -> None:
        with as_ours():
            beyond = self.collection.find_one({"_id": {"$gt": self.position}}, {"_id": 1})
        if beyond is not None:
            raise self._other(beyond["_id"])

    def _other(self, position: int) -> ConflictError:
        return ConflictError(
            f"The database holds at position {position} something else than the topic {self.topic}: "
            "drop the database and recover into an empty one.",
            position=position,
        )

    def _damaged(self, it: E | Finding, what: str) -> DamagedTopic:
        position = it[0] if isinstance(it, tuple) else it.position
        place = f"after position {self.position}" if position is None else f"at position {position}"
        return DamagedTopic(
            f"The topic {self.topic} is damaged {place}: {what}. What comes before is recovered, but the recovery "
            f"is not over. To give up what comes after, say `{self.option} {self.position}`.",
            position=position,
            recovered=self.position,
        )


def _beyond(it: Entry | Finding, until: int) -> bool:
    return not isinstance(it, tuple) and it.position > until
