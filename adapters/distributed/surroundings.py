"""What a process that answers calls tells of those it depends on: the projection, and the relay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.distributed.log import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.distributed.presence import Presence
from adapters.distributed.status import Statuses
from adapters.distributed.upgrade import work_of
from projections.fold import VERSION

PROJECT: Final = work_of(VERSION)
RELAY: Final = "relay"


class Surroundings:
    """Answers for health and metrics; raises NotAbleError where MongoDB does not answer."""

    def __init__(self, mongo: Mongo, presence: Presence) -> None:
        self._statuses, self._presence, self._log = Statuses(mongo), presence, MongoLog(mongo)

    def fault(self) -> str | None:
        """Return `position N: why` where the projection stands still; a sentence where nobody does its work."""
        told = self._statuses.told(PROJECT)
        if told.get("fault"):
            return str(told["fault"])
        if not any(process.kind == PROJECT for process in self._presence.alive().values()):
            return "No process `autolearn project` of this version runs: the read models stand still."
        return None

    def gauges(self) -> Mapping[str, float]:
        """Return how far the topic is behind the log, and whether the relay stands still."""
        told = self._statuses.told(RELAY)
        position = int(told.get("position", 0))
        return {
            "relay_position": position,
            "relay_lag_events": max(self._log.head()[0] - position, 0),
            "relay_fault": 1 if told.get("fault") else 0,
        }
