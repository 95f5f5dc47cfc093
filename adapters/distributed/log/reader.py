"""The entries of one log in MongoDB, read in order."""

from __future__ import annotations

from typing import Generic

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from adapters.distributed.document_format import INTEGER, TOLERANT, faults_of
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.log.tail_watcher import tail_watcher_of
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.log.chain import E
from projections.ports import GENESIS


class MongoLogReader(Generic[E]):
    """For scans that may take their time, give it a `Mongo` without a time limit."""

    def __init__(self, mongo: Mongo, schema: MongoLogSchema[E]) -> None:
        self.schema = schema
        self._documents: Collection[Fields] = mongo.collection(schema.name).with_options(codec_options=TOLERANT)
        self._watcher = tail_watcher_of(mongo, schema.name, schema.position)

    def read(self, after: int, limit: int) -> list[E]:
        """Return entries after a position, about `limit` positions, at least one; of damaged ones what is left."""
        found = self.find({"$gt": after, "$lte": after + limit}) or self.find({"$gt": after}, limit=1)
        return [self.schema.from_document(document) for document in found]

    def hashes_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Return position and hash of the same entries; what is stored as something else is no hash."""
        name, after = self.schema.position, position
        only = {name: 1, "hash": 1}
        found = self.find({"$gt": after, "$lte": after + limit}, only=only) or self.find(
            {"$gt": after}, limit=1, only=only
        )
        return [(int(it[name]), hash_of(it.get("hash"))) for it in found]

    def find(
        self,
        places: Fields,
        more: Fields | None = None,
        *,
        limit: int = 0,
        newest: bool = False,
        only: Fields | None = None,
    ) -> list[Fields]:
        """Return the documents (`only` these fields) whose position fulfils a condition, and other fields others."""
        position = self.schema.position
        where = {position: {"$type": [*INTEGER.aliases], **places}, **(more or {})}
        with as_ours():
            order = [(position, DESCENDING if newest else ASCENDING)]
            return list(self._documents.find(where, only, sort=order, limit=limit))

    def with_value(self, field: str, value: str) -> list[E]:
        """Return the entries in which an indexed field has a value, in order.

        Positions are compared here: asked by them, too, the database might read the log by their index.
        """
        with as_ours():
            found = [self.schema.from_document(document) for document in self._documents.find({field: value})]
        return sorted(found, key=lambda entry: entry.position)

    def end(self) -> tuple[int, bytes]:
        """Return position and hash of the last entry; (0, 32 zero bytes) for an empty log."""
        position = self.schema.position
        which, order = {position: {"$type": [*INTEGER.aliases], "$gt": 0}}, [(position, DESCENDING)]
        with as_ours():
            last = self._documents.find_one(which, {position: 1, "hash": 1}, sort=order)
        if last is None:
            return 0, GENESIS
        return int(last[position]), hash_of(last.get("hash"))

    def last_until(self, at: int) -> int:
        """Return the position of the last entry with a time <= `at` (microseconds); 0 where there is none."""
        position = self.schema.position
        order = [("at", DESCENDING), (position, DESCENDING)]
        with as_ours():
            last = self._documents.find_one({"at": {"$lte": at}, position: {"$gt": 0}}, {position: 1}, sort=order)
        return int(last[position]) if last else 0

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`, whoever wrote; False after `timeout` seconds."""
        return self._watcher.wait_beyond(position, timeout)

    def strays(self) -> list[str]:
        """Return what is wrong with documents, whatever they are: `read` may pass them over."""
        return faults_of(self._documents, self.schema.format)


def hash_of(stored: object) -> bytes:
    """Return a stored chain hash; what is stored as something else is no hash."""
    return bytes(stored) if isinstance(stored, bytes) else b""
