"""The documents of the living: {_id: worker, kind, projections, since, until, beat, in_flight}, by its clock."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from adapters.distributed.database_clock import NEVER, NOW, RUNS, exactly, from_now
from adapters.distributed.mongo import Fields, Mongo, as_ours
from projections.fold import VERSION

KEPT_SECONDS: Final = 3600.0  # how long what a dead process left is kept for whoever looks into the database
HAD_RUN_OUT: Final[dict[str, Any]] = {"$and": [{"$gt": ["$until", NEVER]}, {"$lte": ["$until", NOW]}]}


class Presences:
    """All processes of an installation. Every method raises NotAbleError where MongoDB does not answer."""

    def __init__(self, mongo: Mongo, seconds: float) -> None:
        self._collection, self._seconds = mongo.collection("presence"), seconds

    def enter(self, worker: str, kind: str) -> None:
        """Make a document, whose lease begins with the first renewal; remove those of the long dead."""
        long_dead = {"$and": [{"$gt": ["$until", NEVER]}, {"$lt": ["$until", from_now(-KEPT_SECONDS)]}]}
        with as_ours():
            self._collection.delete_many({"$expr": long_dead})
            self._enter(worker, kind)

    def leave(self, worker: str) -> None:
        """Remove the document."""
        with as_ours():
            self._collection.delete_one({"_id": worker})

    def renew(self, worker: str, kind: str, in_flight: list[str]) -> bool:
        """Renew the lease and say what is in flight; returns whether the lease had run out."""
        with as_ours():
            found = self._renewed(worker, in_flight)
            if found is not None:
                return bool(found["had_run_out"])
            self._enter(worker, kind)
            self._renewed(worker, in_flight)
            return True

    def is_there(self, worker: str) -> bool:
        """Whether a process' lease runs."""
        with as_ours():
            return self._collection.find_one({"_id": worker, **RUNS}, {"_id": 1}) is not None

    def there(self) -> list[Fields]:
        """Return the documents whose lease runs."""
        with as_ours():
            return list(self._collection.find(RUNS))

    def is_older_there(self, version: int) -> bool:
        """Whether a process with an older version of the projections lives, or lately did and did not leave."""
        older = {"projections": {"$not": {"$gte": version}}}
        lately = {"$expr": {"$or": [{"$eq": ["$until", NEVER]}, {"$gt": ["$until", from_now(-KEPT_SECONDS)]}]}}
        with as_ours():
            return self._collection.find_one(older | lately, {"_id": 1}) is not None

    def _enter(self, worker: str, kind: str) -> None:
        new = {"_id": worker, "kind": kind, "projections": VERSION, "since": NEVER, "until": NEVER, "beat": 0}
        with suppress(DuplicateKeyError):  # its own, from before it was started again
            self._collection.insert_one(new | {"in_flight": list[str]()})

    def _renewed(self, worker: str, in_flight: list[str]) -> Fields | None:
        beat = {
            "had_run_out": HAD_RUN_OUT,
            "since": {"$cond": [{"$eq": ["$since", NEVER]}, NOW, "$since"]},
            "until": from_now(self._seconds),
            "beat": {"$add": ["$beat", 1]},
            "in_flight": exactly(in_flight),
        }
        return self._collection.find_one_and_update(
            {"_id": worker}, [{"$set": beat}], {"had_run_out": 1}, return_document=ReturnDocument.AFTER
        )
