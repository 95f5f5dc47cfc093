"""Leases on the database's clock: of several processes that could do a work, one holds its lease."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pymongo.errors import DuplicateKeyError

from adapters.distributed.database_clock import NEVER, RAN_OUT, exactly, from_now
from adapters.distributed.mongo import Mongo, as_ours


class Leases:
    """One document per work: {_id: name, holder, until}. A lease lasts `seconds` and must be renewed before.

    Every method raises NotAbleError where MongoDB does not answer.
    """

    def __init__(self, mongo: Mongo, seconds: float) -> None:
        self.seconds = seconds
        self._collection = mongo.collection("leases")

    def take(self, name: str, holder: str) -> bool:
        """Take a lease that is free or has run out, or renew one's own; False where another holds it."""
        with as_ours():
            if self._update(name, holder):
                return True
            if self._collection.find_one({"_id": name}, {"_id": 1}) is not None:
                return False
            with suppress(DuplicateKeyError):  # another process made it just now
                # Free to take; an upsert could not ask for the database's time.
                self._collection.insert_one({"_id": name, "holder": "", "until": NEVER})
            return self._update(name, holder)

    def release(self, name: str, holder: str) -> None:
        """Give a lease back; does nothing where another holds it."""
        with as_ours():
            self._collection.update_one({"_id": name, "holder": holder}, {"$set": {"until": NEVER}})

    def _update(self, name: str, holder: str) -> bool:
        mine_or_free: dict[str, Any] = {"_id": name, "$or": [{"holder": holder}, RAN_OUT]}
        lease = {"holder": exactly(holder), "until": from_now(self.seconds)}
        return self._collection.update_one(mine_or_free, [{"$set": lease}]).matched_count == 1
