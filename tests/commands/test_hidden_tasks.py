"""What somebody else wrote to the topic hides no task for long: a worker with nothing to do asks what is unfinished."""

from __future__ import annotations

import pytest

from commands.ports import PositionedEvent
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import NotAbleError, NotReachedError
from domain.events import Event
from domain.experiment_events import TrainingFailed, TrainingStarted
from domain.values import experiment_stream
from projections.ports import Recorded
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker, state

TRAIN = RequestTraining("iris", "svm")
LIVING = "worker-of-another-machine"


def living(_: str) -> bool:
    return False


def position_event(event: Event, stage: Stage) -> PositionedEvent:
    """Return what a forged record tells, at the position where the next one is expected."""
    position = stage.store.end()[0] + 1
    return Recorded(position, position, stage.clock.now(), event)


def forge(stage: Stage, worker: Worker, event: Event) -> None:
    worker.worker._waiting.apply(position_event(event, stage))


def started(name: str, worker: str, attempt: int = 1) -> Event:
    stream = experiment_stream(name)
    return TrainingStarted(originator_id=stream, originator_version=9, task=name, attempt=attempt, worker=worker)


def test_a_start_that_never_was_hides_a_task_only_until_a_look_into_the_log(stage: Stage, ana: Caller) -> None:
    name = str(ana.do(TRAIN, wait=0).pending)
    worker = Worker(stage, is_lost=living)
    worker.worker._waiting.apply(position_event(stage.events(experiment_stream(name))[0], stage))
    forge(stage, worker, started(name, LIVING))
    worker.worker.position = stage.store.end()[0]
    worker.check_lost().step()
    assert stage.launcher.of("fit") == []
    worker.recheck().step()
    stage.until(name, name, "completed")
    assert state(stage.experiment(name), name) == ("completed", 1)


def test_an_end_that_never_was_keeps_no_lost_task_from_its_next_attempt(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    other, dead = stage.another("worker-2"), set[str]()
    worker = Worker(other, is_lost=dead.__contains__).step()
    end = TrainingFailed(originator_id=experiment_stream(name), originator_version=9, task=name, attempt=1,
                         reason="error", detail="")  # fmt: skip
    forge(stage, worker, end)
    dead.add(stage.application.ports.worker)
    worker.check_lost().step()
    assert other.launcher.of("fit") == []
    worker.recheck().step()
    worker.check_lost().step()
    other.until(name, name, "completed")
    assert state(other.experiment(name), name) == ("completed", 2)


def test_a_recheck_leaves_running_tasks_alone(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    here, elsewhere = Worker(stage, is_lost=living), Worker(stage.another("worker-2"), is_lost=living)
    for worker in (here, elsewhere):
        worker.step().recheck().step().check_lost().step()
    assert len(stage.launcher.of("fit")) == 1
    stage.launcher.child("fit").end()
    stage.until(name, name, "completed")
    assert stage.idle()
    assert stage.names(experiment_stream(name)).count("training-started") == 1


def test_a_worker_rechecks_only_when_idle_and_only_its_own_kinds(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.launcher.slots = stage.launcher.free = 1
    done, taken = ana.train(), stage.launcher.take_slot()
    ana.do(RequestReproduction(done), wait=0)
    asked: list[float] = []

    def nothing(_: object, timeout: float) -> list[str]:
        asked.append(timeout)
        return []

    monkeypatch.setattr("tests.commands.worker.LogOpenTasks.list_unfinished", nothing)
    for kinds in ({"reproduction"}, set[str]()):
        Worker(stage, is_lost=living, kinds=frozenset(kinds)).step().recheck().step().recheck().step()
    assert (taken, len(asked)) == (True, 1), "who claims nothing asks once, to know what counts for whose quota"
    idle = Worker(stage, is_lost=living, kinds=frozenset({"training"})).step().recheck().step()
    assert len(asked) == 1, "nor where it could not run what it found"
    stage.launcher.free_slot()
    idle.step().step()
    assert len(asked) == 2


@pytest.mark.parametrize("trouble", [NotReachedError, NotAbleError])
def test_a_recheck_ignores_read_models_that_do_not_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, trouble: type[NotAbleError]
) -> None:
    def refuse(*_: object) -> list[str]:
        raise trouble("The read models cannot be asked.")

    monkeypatch.setattr("tests.commands.worker.LogOpenTasks.list_unfinished", refuse)
    Worker(stage, is_lost=living).recheck().step()
