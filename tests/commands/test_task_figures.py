"""What operators see of tasks in figures: the queue and its age, attempts, take-overs and losses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.http.metrics import task_families
from commands import tasks
from commands.training.request_training import RequestTraining
from tests.commands.launcher import broken
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker

TRAIN = RequestTraining("iris", "svm")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.001)


def figures(stage: Stage) -> dict[tuple[str, ...], float]:
    """Return what `/metrics` says of tasks that run or wait, by name and labels."""
    found = task_families(stage.application.tasks.figures, stage.clock.now())
    return {(it.name, *it.labels.values()): it.value for family in found for it in family.samples}


def test_the_queue_has_a_length_and_an_age(stage: Stage, ana: Caller) -> None:
    stage.launcher.free = 0
    worker = Worker(stage)
    for _ in range(2):
        ana.do(TRAIN, wait=0)
    worker.step()
    requested = stage.feed.after(0, 1000)[-1].at
    stage.clock.time = requested + timedelta(seconds=90)
    found = figures(stage)
    assert found["autolearn_tasks_waiting", "training"] == 2
    assert 90 <= found["autolearn_oldest_waiting_seconds", "training"] < 150
    stage.launcher.free = stage.launcher.slots
    worker.step()
    assert stage.idle()
    worker.step()
    assert ("autolearn_tasks_waiting", "training") not in figures(stage)


def test_what_is_taken_over_waits_since_then(stage: Stage, ana: Caller) -> None:
    stage.launcher.free = 0
    ana.do(TRAIN, wait=0)
    Worker(stage).take_over()
    assert figures(stage)["autolearn_oldest_waiting_seconds", "training"] == 0
    stage.clock.pass_(timedelta(seconds=30))
    assert figures(stage)["autolearn_oldest_waiting_seconds", "training"] == 30
    stage.launcher.free = stage.launcher.slots


def test_attempts_and_losses_are_counted(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = broken("killed")
    ana.do(TRAIN)
    found = figures(stage)
    attempts = [found["autolearn_task_attempts_total", "training", number] for number in ("1", "2", "3")]
    assert (attempts, found["autolearn_tasks_lost_total", "training"]) == ([1, 1, 1], 1)


def test_take_overs_are_counted_where_they_happen(stage: Stage, ana: Caller) -> None:
    ana.begin_training()
    for number in (2, 3, 4):
        after = stage.another(f"worker-{number}")
        after.launcher.scripts["fit"] = None
        Worker(after).take_over()
        found = figures(after)
        assert found.get(("autolearn_tasks_taken_over_total", "training"), 0) == (number < 4)
        assert found.get(("autolearn_tasks_lost_total", "training"), 0) == (number == 4)
