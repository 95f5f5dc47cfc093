"""What the relays and the projection last reported of themselves, for the health and metrics of all processes."""

from __future__ import annotations

import time
from typing import Any, Final

from adapters.distributed.mongo import Fields, Mongo, as_ours
from projections.fold import VERSION

KEPT_SECONDS: Final = 0.5  # how long an answer is used again: health and metrics are asked by many


def projection_work(version: int) -> str:
    """Return the name under which the projection of a version has its lease, its status and its kind of process."""
    return f"project-v{version}"


PROJECTION: Final = projection_work(VERSION)
LOG_RELAY: Final = "relay"  # the kind of process has the same name
AUDIT_LOG_RELAY: Final = "relay-communications"


class Statuses:
    """One document per work: `PROJECTION`, `LOG_RELAY`, `AUDIT_LOG_RELAY`. Every method raises NotAbleError."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.collection("statuses")
        self._known: dict[str, tuple[float, Fields]] = {}

    def report(self, work: str, **facts: Any) -> None:
        """Set facts of a work; others stay as they were reported before."""
        with as_ours():
            self._collection.update_one({"_id": work}, {"$set": facts}, upsert=True)

    def forget(self, work: str) -> None:
        with as_ours():
            self._collection.delete_one({"_id": work})

    def read(self, work: str) -> Fields:
        """Return what was last reported; {} where nothing was."""
        known = self._known.get(work)
        if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        with as_ours():
            facts = self._collection.find_one({"_id": work}, {"_id": 0}) or {}
        self._known[work] = time.monotonic(), facts
        return facts
