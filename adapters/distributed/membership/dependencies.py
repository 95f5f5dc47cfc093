"""What a process that answers calls says of those it depends on: the projection and the relays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.mongo import Mongo


class Dependencies:
    """Answers for health and metrics; raises NotAbleError where MongoDB does not answer."""

    def __init__(self, mongo: Mongo, membership: Membership) -> None:
        self._mongo, self._statuses, self._membership = mongo, Statuses(mongo), membership

    def fault(self) -> str | None:
        """Return `position N: why` where the projection stands still; a sentence for a relay, or where nobody folds."""
        if lost := log_lost(self._mongo, self._statuses):
            return lost
        for work in (PROJECTION, LOG_RELAY, AUDIT_LOG_RELAY):
            if fault := self._statuses.read(work).get("fault"):
                return str(fault)
        if not any(PROJECTION in process.kind.split() for process in self._membership.alive().values()):
            return "No process `autolearn project` of this version runs: the read models stand still."
        if not self._statuses.read(PROJECTION):
            return "The process `autolearn project` of this version is only beginning."
        return None

    def gauges(self) -> Mapping[str, float]:
        return relay_gauges(self._mongo, self._statuses)

    def remark(self) -> str | None:
        """Return what somebody should see to, though everything works."""
        return topic_remark(self._statuses)


def topic_remark(statuses: Statuses) -> str | None:
    """Return that a topic has fewer replicas than it should, as its relay last said."""
    said = (statuses.read(work).get("remark") for work in (LOG_RELAY, AUDIT_LOG_RELAY))
    return next((str(remark) for remark in said if remark), None)


def log_lost(mongo: Mongo, statuses: Statuses) -> str | None:
    """Return what to do where the log ends before what was relayed of it: somebody dropped or restored the database."""
    relayed = int(statuses.read(LOG_RELAY).get("position", 0))  # read before the end, so never beyond it
    end = MongoFeed(mongo).end()[0]
    if relayed <= end:
        return None
    return (
        f"The log ends at {end}, but {relayed} was relayed: MongoDB was lost or restored. Stop all processes and bring"
        " it back into an empty database with `autolearn recover --from-kafka`."
    )


def relay_gauges(mongo: Mongo, statuses: Statuses) -> dict[str, float]:
    """Return how far the topics are behind log and audit log, and whether a relay stands still; raises NotAbleError."""
    events, records = statuses.read(LOG_RELAY), statuses.read(AUDIT_LOG_RELAY)
    position, recorded = int(events.get("position", 0)), int(records.get("position", 0))
    lag, seconds = lag_of(MongoFeed(mongo), position)
    records_lag, records_seconds = lag_of(MongoLogReader(mongo, AUDIT_LOG), recorded)
    return {
        "relay_position": position,
        "relay_lag_events": lag,
        "relay_lag_seconds": seconds,
        "relay_fault": 1 if events.get("fault") else 0,
        "relay_communications_position": recorded,
        "relay_communications_lag": records_lag,
        "relay_communications_lag_seconds": records_seconds,
        "relay_communications_fault": 1 if records.get("fault") else 0,
        "relay_replicas": int(events.get("replicas", 0)),
        "relay_communications_replicas": int(records.get("replicas", 0)),
    }


def lag_of(log: MongoLogReader[Any], position: int) -> tuple[int, float]:
    """Return how many positions of a log come after one, and the age of the oldest in seconds."""
    end = log.end()[0]
    waiting = log.read(position, 1) if end > position else []
    seconds = (datetime.now(UTC) - waiting[0].at).total_seconds() if waiting else 0.0
    return max(end - position, 0), max(seconds, 0.0)
