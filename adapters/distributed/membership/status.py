"""What the relay and the projection last said of themselves, for the health and the metrics of all others."""

from __future__ import annotations

import time
from typing import Any, Final

from adapters.distributed.mongo import Fields, Mongo, as_ours

KEPT_SECONDS: Final = 0.5  # how long an answer is used again: health and metrics are asked by many


class Statuses:
    """One document per work: `relay`, `project-v1`."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.collection("statuses")
        self._known: dict[str, tuple[float, Fields]] = {}

    def tell(self, work: str, **facts: Any) -> None:
        """Say something of the work, instead of what was said before; raises NotAbleError."""
        with as_ours():
            self._collection.update_one({"_id": work}, {"$set": facts}, upsert=True)

    def forget(self, work: str) -> None:
        """Forget what was said of a work that nobody does any more; raises NotAbleError."""
        with as_ours():
            self._collection.delete_one({"_id": work})

    def told(self, work: str) -> Fields:
        """Return what was last said; {} where nothing was. Raises NotAbleError."""
        known = self._known.get(work)
        if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        with as_ours():
            facts = self._collection.find_one({"_id": work}, {"_id": 0}) or {}
        self._known[work] = time.monotonic(), facts
        return facts
