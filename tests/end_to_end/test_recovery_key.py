"""A lost database comes back only with the master key that its clients' keys were made from, and says so in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.security.keys import make_master_key
from tests.end_to_end.fleet import Fleet, fleet_on, until
from tests.servers.fixtures import drop_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
BAD_INPUT = 2


@pytest.fixture
def fleet(kafka: str, mongodb: str, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_on(tmp_path, kafka, mongodb) as opened:
        yield opened


def lose_what_was_relayed(fleet: Fleet) -> None:
    relay = fleet.start("relay")
    until(lambda: (relay.gauges.get("relay_lag_events"), relay.gauges.get("relay_communications_lag")) == (0, 0))
    relay.stop()
    drop_database(fleet.mongodb, fleet.database)


def test_another_master_key_is_noticed_and_none_leaves_the_right_one_in_force(fleet: Fleet, tmp_path: Path) -> None:
    fleet.client("ana", "sys-admin")
    lose_what_was_relayed(fleet)
    fleet.more["AUTOLEARN_MASTER_KEY_FILE"] = str(tmp_path / "other.key")
    make_master_key(tmp_path / "other.key")
    assert "restore that file and call it again" in fleet.run("recover", "--from-kafka", code=BAD_INPUT).stderr
    (tmp_path / "other.key").unlink()
    recovered = fleet.run("recover", "--from-kafka", "--json")
    assert json.loads(recovered.stdout)["fingerprint"] in recovered.stderr

    make_master_key(tmp_path / "other.key")
    wrong = fleet.run("client", "list", "--offline", code=BAD_INPUT)
    assert "does not fit the database" in wrong.stderr
    fleet.more.clear()
    assert "ana" in fleet.run("client", "list", "--offline", "--json").stdout
