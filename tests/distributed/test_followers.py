"""A process `relay` speaks for both of its works, whichever process is in charge of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.membership import status
from adapters.distributed.membership.dependencies import COMMUNICATIONS, RELAY
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from server.compose.followers import open_relay
from server.follower import Follower
from server.settings import read_settings
from tests.distributed.published import call


@pytest.fixture
def relay(kafka: str, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    """One that has not begun to work."""
    monkeypatch.setattr(status, "KEPT_SECONDS", 0.0)
    own = {"KAFKA": kafka, "MONGODB": mongo.uri, "DATABASE": mongo.name, "DATA": str(tmp_path)}
    for name, value in own.items():
        monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    made = open_relay(read_settings(mode="distributed"))
    yield made
    made.close()


@pytest.mark.parametrize("work", [RELAY, COMMUNICATIONS])
@pytest.mark.parametrize("kind", ["fault", "outage"])
def test_a_fault_of_either_work_is_told(relay: Follower, mongo: Mongo, work: str, kind: str) -> None:
    assert relay.vitals.fault() is None
    Statuses(mongo).report(work, **{kind: "somebody wrote to it"})
    assert relay.vitals.fault() == "somebody wrote to it"


def test_a_log_that_was_lost_under_it_is_told(relay: Follower, mongo: Mongo) -> None:
    Statuses(mongo).report(RELAY, position=5, fault=None)
    assert "recover --from-kafka" in (relay.vitals.fault() or "")


def test_lag_is_of_both_topics(relay: Follower, mongo: Mongo) -> None:
    MongoAuditLog(mongo, "w").archive(call(1))
    found = relay.vitals.measure()
    assert (found["relay_lag_events"], found["relay_communications_lag"]) == (0, 1)
    assert found["in_charge"] == 0
