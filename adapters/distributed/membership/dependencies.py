"""What a process that answers calls says of those it depends on: the projection and the relays."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.distributed.audit_log.record_schema import COMMUNICATIONS
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.mongo import Mongo, as_ours


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
    with as_ours():
        last = mongo.collection(COMMUNICATIONS).find_one({}, {"_id": 1}, sort=[("_id", -1)])
    end = int(last["_id"]) if last else 0
    return {
        "relay_position": position,
        "relay_lag_events": max(MongoFeed(mongo).end()[0] - position, 0),
        "relay_fault": 1 if events.get("fault") else 0,
        "relay_communications_position": recorded,
        "relay_communications_lag": max(end - recorded, 0),
        "relay_communications_fault": 1 if records.get("fault") else 0,
    }
