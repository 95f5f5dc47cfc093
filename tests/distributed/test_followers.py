"""A process with the role `relay` speaks for both of its works, whichever process is in charge of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.membership import status
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.store import MongoReadModelStore
from adapters.http.routes.process_health import ProcessHealth
from server.compose.followers import open_followers
from server.roles import Roles
from server.settings import read_settings
from tests.distributed.published import call


@pytest.fixture
def relay(kafka: str, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessHealth]:
    """How one is that has not begun to work."""
    monkeypatch.setattr(status, "KEPT_SECONDS", 0.0)
    given = {"kafka": kafka, "mongodb": mongo.uri, "database": mongo.name, "data": tmp_path}
    with ExitStack() as opened:
        settings = read_settings(mode="distributed", **given)
        _, (health,) = open_followers(
            settings, Roles(relay=True), mongo, MongoReadModelStore(mongo), name="relay-1", opened=opened
        )
        yield health


@pytest.mark.parametrize("work", [LOG_RELAY, AUDIT_LOG_RELAY])
@pytest.mark.parametrize("kind", ["fault", "outage"])
def test_a_fault_of_either_work_is_reported(relay: ProcessHealth, mongo: Mongo, work: str, kind: str) -> None:
    assert relay.fault() is None
    Statuses(mongo).report(work, **{kind: "somebody wrote to it"})
    assert relay.fault() == "somebody wrote to it"


def test_a_log_that_was_lost_under_it_is_reported(relay: ProcessHealth, mongo: Mongo) -> None:
    Statuses(mongo).report(LOG_RELAY, position=5, fault=None)
    assert "recover --from-kafka" in (relay.fault() or "")


def test_lag_is_of_both_topics(relay: ProcessHealth, mongo: Mongo) -> None:
    MongoAuditLog(mongo, "w").append(call(1))
    found = relay.measure()
    assert (found["relay_lag_events"], found["relay_communications_lag"]) == (0, 1)
    assert found["in_charge"] == {"log-relay": False, "audit-log-relay": False}
    assert found["relay_lag_seconds"] == 0
    assert found["relay_communications_lag_seconds"] != 0
