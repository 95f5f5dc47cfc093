"""What a process that answers calls tells of the projection and of the relay."""

from __future__ import annotations

import pytest

from adapters.distributed import status
from adapters.distributed.event_store import MongoEventStore
from adapters.distributed.mongo import Mongo
from adapters.distributed.presence import Presence
from adapters.distributed.status import Statuses
from adapters.distributed.surroundings import PROJECT, RELAY, Surroundings
from tests.contracts.events import append


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told a moment ago is not used again."""
    monkeypatch.setattr(status, "KEPT_SECONDS", 0.0)


def test_read_models_that_nobody_keeps_are_a_fault(mongo: Mongo) -> None:
    surroundings = Surroundings(mongo, Presence(mongo, "serve-1"))
    assert "autolearn project" in (surroundings.fault() or "")
    projection = Presence(mongo, "project-1", kind=PROJECT)
    projection.start()
    assert surroundings.fault() is None
    projection.stop()
    assert surroundings.fault() is not None


def test_what_stops_the_projection_is_told_until_it_goes_on(mongo: Mongo) -> None:
    projection, surroundings = Presence(mongo, "project-1", kind=PROJECT), Surroundings(mongo, Presence(mongo, "s"))
    projection.start()
    Statuses(mongo).tell(PROJECT, position=4, fault="position 5: why")
    assert surroundings.fault() == "position 5: why"
    Statuses(mongo).tell(PROJECT, position=6, fault=None)
    assert surroundings.fault() is None
    projection.stop()


def test_the_relays_lag_is_what_is_not_in_the_topic_yet(mongo: Mongo) -> None:
    surroundings = Surroundings(mongo, Presence(mongo, "serve-1"))
    append(MongoEventStore(mongo), "s", count=5)
    assert surroundings.gauges() == {"relay_position": 0, "relay_lag_events": 5, "relay_fault": 0}
    Statuses(mongo).tell(RELAY, position=3, fault="somebody wrote to it")
    assert surroundings.gauges() == {"relay_position": 3, "relay_lag_events": 2, "relay_fault": 1}
