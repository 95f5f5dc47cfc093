"""What a process that answers calls tells of the projection and of the relay."""

from __future__ import annotations

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.membership import status
from adapters.distributed.membership.dependencies import Dependencies
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.mongo import Mongo
from adapters.http.metrics import GAUGES
from tests.contracts.events import append
from tests.distributed.published import call


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told a moment ago is not used again."""
    monkeypatch.setattr(status, "KEPT_SECONDS", 0.0)


def test_read_models_that_nobody_keeps_are_a_fault(mongo: Mongo) -> None:
    dependencies = Dependencies(mongo, Membership(mongo, "serve-1"))
    assert "autolearn project" in (dependencies.fault() or "")
    projection = Membership(mongo, "project-1", kind=PROJECTION)
    projection.start()
    Statuses(mongo).report(PROJECTION, position=0, fault=None)
    assert dependencies.fault() is None
    projection.stop()
    assert dependencies.fault() is not None


def test_what_stops_the_projection_is_reported_until_it_goes_on(mongo: Mongo) -> None:
    projection, dependencies = (
        Membership(mongo, "project-1", kind=PROJECTION),
        Dependencies(mongo, Membership(mongo, "s")),
    )
    projection.start()
    Statuses(mongo).report(PROJECTION, position=4, fault="position 5: why")
    assert dependencies.fault() == "position 5: why"
    Statuses(mongo).report(PROJECTION, position=6, fault=None)
    assert dependencies.fault() is None
    projection.stop()


@pytest.mark.parametrize("work", [LOG_RELAY, AUDIT_LOG_RELAY])
def test_a_relay_that_stands_still_is_a_fault(mongo: Mongo, work: str) -> None:
    projection, dependencies = (
        Membership(mongo, "project-1", kind=PROJECTION),
        Dependencies(mongo, Membership(mongo, "s")),
    )
    projection.start()
    Statuses(mongo).report(PROJECTION, position=4, fault=None)
    Statuses(mongo).report(work, position=0, fault="somebody wrote to it")
    assert dependencies.fault() == "somebody wrote to it"
    Statuses(mongo).report(work, position=0, fault=None)
    assert dependencies.fault() is None
    Statuses(mongo).report(work, outage="Kafka does not answer")
    assert dependencies.fault() is None, "calls go on without Kafka"
    projection.stop()


def test_a_log_that_is_behind_its_topic_was_lost(mongo: Mongo) -> None:
    dependencies = Dependencies(mongo, Membership(mongo, "serve-1"))
    Statuses(mongo).report(LOG_RELAY, position=5, fault=None)
    assert "recover --from-kafka" in (dependencies.fault() or "")
    append(MongoEventStore(mongo), "s", count=5)
    assert "recover" not in (dependencies.fault() or "")


def test_the_relays_lag_is_what_is_not_in_the_topics_yet(mongo: Mongo) -> None:
    dependencies, audit_log = Dependencies(mongo, Membership(mongo, "serve-1")), MongoAuditLog(mongo, "w")
    append(MongoEventStore(mongo), "s", count=5)
    for number in range(3):
        audit_log.append(call(number))
    assert gauges(dependencies) == [(0, 5, 0), (0, 3, 0)]
    Statuses(mongo).report(LOG_RELAY, position=3, fault="somebody wrote to it")
    assert gauges(dependencies) == [(3, 2, 1), (0, 3, 0)]
    Statuses(mongo).report(AUDIT_LOG_RELAY, position=2, fault="somebody wrote to it")
    assert gauges(dependencies) == [(3, 2, 1), (2, 1, 1)]
    assert set(dependencies.gauges()) <= set(GAUGES)


def gauges(dependencies: Dependencies) -> list[tuple[float, float, float]]:
    found = dependencies.gauges()
    names = ("relay_position", "relay_lag_events", "relay_fault")
    others = ("relay_communications_position", "relay_communications_lag", "relay_communications_fault")
    return [(found[position], found[lag], found[fault]) for position, lag, fault in (names, others)]
