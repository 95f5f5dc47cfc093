"""An upgrade to another version of one projection with real processes: side by side, then the old one goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.distributed.mongo import Mongo
from projections.fold import VERSIONS
from tests.end_to_end.fleet import Fleet, fleet_on, proxy_of, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
READY, UNABLE = 200, 503
OLD, NEW = VERSIONS["history"], VERSIONS["history"] + 1
IS_NEWER = f"""
import projections.fold

projections.fold.VERSIONS["history"] = {NEW}
projections.fold.VERSION += 1

import adapters.distributed.projection.upgrade

adapters.distributed.projection.upgrade.LOOK_SECONDS = 0.1
"""


@pytest.fixture
def fleet(kafka: str, mongodb: str, tmp_path: Path) -> Iterator[Fleet]:
    """One process of each kind that an upgrade of the read models concerns."""
    with fleet_on(tmp_path, kafka, mongodb) as fleet:
        fleet.start_these("relay", "project", "serve storage")
        yield fleet


def test_old_and_new_read_models_serve_side_by_side_until_the_old_processes_are_gone(
    fleet: Fleet, tmp_path: Path
) -> None:
    shell, (_, project, serve) = fleet.client("ana", "sys-admin"), fleet.members
    add = proxy_of(shell)
    added = add.post("clients", body={"client": "c-1", "roles": ["analyst"]}).position
    until(lambda: project.gauges["projection_position"] >= added)
    become_newer(fleet, tmp_path)
    new_serve = fleet.start("serve", "storage")
    assert new_serve.get("/health/ready")[0] == UNABLE
    new_project = fleet.start("project")
    until(lambda: {it.get("/health/ready")[0] for it in (new_project, new_serve)} == {READY})
    added = add.post("clients", body={"client": "c-2", "roles": ["analyst"]}).position
    until(lambda: {it.gauges["projection_position"] for it in (project, new_project)} == {added})
    assert [it.in_charge for it in (project, new_project)] == [{"projection"}] * 2
    assert serve.get("/health/ready")[0] == READY
    assert histories_in(fleet) == {OLD, NEW}

    for old in (project, serve):
        assert old.stop() == 0
        assert histories_in(fleet) == {OLD, NEW}
    assert fleet.one("relay").stop() == 0
    fleet.start("relay")
    until(lambda: histories_in(fleet) == {NEW})
    found = shell("verify", "--against", "kafka").json
    assert found["ok"], found
    assert new_serve.get("/health/ready")[0] == READY


def become_newer(fleet: Fleet, folder: Path) -> None:
    """Let every process that starts from now on be of the next version of the projections."""
    (folder / "sitecustomize.py").write_text(IS_NEWER)
    fleet.more["PYTHONPATH"] = f"{folder}:{ROOT}"


def histories_in(fleet: Fleet) -> set[int]:
    """Return the versions of the history that there are; the other projections are there once."""
    mongo = Mongo(fleet.mongodb, fleet.database)
    try:
        names = [name for name in mongo.database.list_collection_names() if re.match("read-[a-z]+-[0-9]", name)]
        state = list(mongo.collection("read-models").find({"_id": {"$regex": "^generation-"}}))
    finally:
        mongo.close()
    assert {name for name in names if name.startswith("read-documents-")} <= {"read-documents-1"}
    return {it["versions"]["history"] for it in state if it["collections"]["history"] in names}
