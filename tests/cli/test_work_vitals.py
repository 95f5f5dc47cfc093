"""What `work` tells of its health: ready is who follows the log, not who has only begun to wait for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cli.processes import work_vitals
from tests.commands.stage import Stage
from tests.commands.worker import Worker


def test_work_is_ready_once_it_works() -> None:
    stage = Stage()
    worker = Worker(stage).worker
    node: Any = SimpleNamespace(worker=worker, application=stage.application)
    vitals = work_vitals("training", node)
    assert vitals.readiness()["status"] == "not-ready"
    worker.start(0)
    assert vitals.readiness() == {
        "status": "ready",
        "kind": "work training",
        "tasks_running": 0,
        "followed_position": 0,
        "fault": None,
    }
    worker.stop()
    stage.close()
