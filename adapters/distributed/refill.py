"""One collection filled again from its topic, in order, each document as its own writer would have stored it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from bson import encode
from pymongo.collection import Collection

from adapters.distributed.kafka import DamagedTopic
from adapters.distributed.mongo import Fields, as_ours
from adapters.distributed.tape import Finding
from domain.errors import ConflictError
from projections.topic_check import Placed

BATCH: Final = 500  # documents of one write
BATCH_BYTES: Final = 16 * 1024 * 1024

T = TypeVar("T", bound=Placed)


@dataclass
class Refill(Generic[T]):
    """`fault` says what is wrong with the next one in the chain. Afterwards `count` are stored, and `last` is the last.

    Documents that are there already, from a run that was interrupted, must be the same.
    """

    collection: Collection[Fields]
    topic: str
    to_document: Callable[[T], Fields]
    fault: Callable[[T], str | None]
    count: int = 0
    last: T | None = None
    _batch: list[Fields] = field(default_factory=list)
    _bytes: int = 0

    def run(self, found: Iterable[T | Finding]) -> Iterator[int]:
        """Yield the position reached, after each write. Raises DamagedTopic, ConflictError, NotAbleError."""
        for it in found:
            what = it[1] if isinstance(it, tuple) else self.fault(it)
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

    def _take(self, it: T) -> None:
        document = self.to_document(it)
        self._batch.append(document)
        self._bytes += len(encode(document))
        self.count, self.last = self.count + 1, it

    def _write(self) -> None:
        batch, self._batch, self._bytes = self._batch, [], 0
        if not batch:
            return
        with as_ours():
            there = {it["_id"]: it for it in self.collection.find({"_id": {"$gte": batch[0]["_id"]}}, limit=len(batch))}
            for document in batch:
                if there.get(document["_id"], document) != document:
                    raise self._other(document["_id"])
            missing = [document for document in batch if document["_id"] not in there]
            if missing:
                self.collection.insert_many(missing, ordered=True)

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

    def _damaged(self, it: T | Finding, what: str) -> DamagedTopic:
        position = it[0] if isinstance(it, tuple) else it.position
        place = f"after position {self.position}" if position is None else f"at position {position}"
        return DamagedTopic(
            f"The topic {self.topic} is damaged {place}: {what}. What comes before is recovered, nothing after it.",
            position=position,
            recovered=self.position,
        )
