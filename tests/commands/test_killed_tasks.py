"""A task that was killed from outside gets its next attempt in the same slot; the third loss ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commands import task_ends, tasks
from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import TaskOutcome
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from tests.commands.examples import OUTCOMES
from tests.commands.launcher import TIMEOUT, broken
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker

TRAIN = RequestTraining("iris", "svm")
KILLED = broken("killed", "It was killed.")
COMMANDS: dict[str, Callable[[str], Any]] = {
    "fit": lambda _: TRAIN,
    "score": lambda _: RequestEvaluation(),
    "reproduce": RequestReproduction,
}


def killed_at_first(kind: str, times: int = 1) -> Callable[[dict[str, Any]], TaskOutcome]:
    """Script a kind of task whose first processes are killed."""
    left = [KILLED] * times
    return lambda facts: left.pop() if left else OUTCOMES[kind](facts)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.001)


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("times", [1, 2])
def test_it_is_tried_again_within_the_same_call(stage: Stage, ana: Caller, kind: str, times: int) -> None:
    name = ana.train()
    stage.launcher.scripts[kind] = killed_at_first(kind, times)
    answer = ana.do(COMMANDS[kind](name))
    assert (answer.body["state"], answer.pending) == ("completed", None)
    started, *ends = stage.names(f"experiment:{answer.body['experiment']}")[-times - 2 :]
    assert [started, *ends] == [started] * (times + 1) + [started.replace("started", "completed")]
    assert stage.idle()


@pytest.mark.parametrize("kind", COMMANDS)
def test_after_the_third_loss_it_fails_and_says_how_it_ended(stage: Stage, ana: Caller, kind: str) -> None:
    name = ana.train()
    before = len(stage.launcher.of(kind))
    stage.launcher.scripts[kind] = KILLED
    body = ana.do(COMMANDS[kind](name)).body
    assert (body["state"], body["error"]["reason"]) == ("failed", "lost")
    assert "lost 3 times" in body["error"]["detail"]
    assert "It was killed." in body["error"]["detail"]
    assert len(stage.launcher.of(kind)) - before == 3
    assert stage.idle()


@pytest.mark.parametrize("reason", ["crashed", "memory-limit", "deadline", "error", "bad-input"])
def test_what_a_task_brings_on_itself_fails_it_at_once(stage: Stage, ana: Caller, reason: str) -> None:
    stage.launcher.scripts["fit"] = broken(reason)
    body = ana.do(TRAIN).body
    assert (body["state"], body["attempt"], body["error"]["reason"]) == ("failed", 1, reason)


def test_a_repeated_call_gets_the_same_answer(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = killed_at_first("fit")
    first = ana.do(TRAIN, key="k")
    assert first.body["attempt"] == 2
    assert ana.do(TRAIN, key="k") == first
    assert len(stage.launcher.children) == 2


def test_a_queued_task_is_tried_again_as_well(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = killed_at_first("fit")
    name = str(ana.do(TRAIN, wait=0).pending)
    Worker(stage).step()
    stage.until(name, name, "completed")
    assert stage.experiment(name).tasks[name].attempt == 2
    assert stage.idle()


def test_it_keeps_its_slot_and_its_place_in_the_quota(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    free: list[int] = []
    removed: list[str] = []
    stage.launcher.scripts["fit"] = killed_at_first("fit")
    stage.launcher.before_start = lambda _: free.append(stage.launcher.free)
    monkeypatch.setattr(stage.application.tasks.quota, "remove_task", removed.append)
    name = ana.do(TRAIN).body["experiment"]
    assert free == [stage.launcher.slots - 1] * 2
    assert removed == [name]


def before_the_pause(stage: Stage, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Do something once a task was killed, before its next attempt."""
    pause = stage.application.tasks._pause_if_killed

    def do_and_pause(*given: Any) -> bool:
        deed()
        return pause(*given)

    monkeypatch.setattr(stage.application.tasks, "_pause_if_killed", do_and_pause)


def test_a_cancellation_meanwhile_starts_no_further_process(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = ana.begin_training()
    before_the_pause(stage, monkeypatch, lambda: ana.do(CancelTask(name)))
    stage.launcher.child("fit").end(KILLED)
    assert stage.idle()
    assert stage.experiment(name).training_state == "cancelled"
    assert len(stage.launcher.children) == 1


def test_a_cancellation_right_after_the_next_claim_starts_no_further_process(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = ana.begin_training()

    def record_and_cancel(*given: Any) -> Any:
        claimed = task_ends.record_end(*given)
        ana.do(CancelTask(name))
        return claimed

    monkeypatch.setattr(tasks, "record_end", record_and_cancel)
    stage.launcher.child("fit").end(KILLED)
    assert stage.idle()
    assert stage.names(f"experiment:{name}")[-2:] == ["training-started", "training-cancelled"]
    assert len(stage.launcher.children) == 1


def test_a_kill_of_all_processes_at_a_stop_costs_one_attempt(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `kill` of a whole group ends tasks a moment before the process that started them."""
    name = ana.begin_training()
    before_the_pause(stage, monkeypatch, stage.application.end_tasks)
    head = stage.store.end()
    stage.launcher.child("fit").end(KILLED)
    assert stage.idle()
    assert stage.store.end() == head
    assert stage.experiment(name).tasks[name].attempt == 1


def test_a_call_that_waits_no_longer_is_answered_as_pending(stage: Stage, ana: Caller) -> None:
    def script(_: dict[str, Any]) -> TaskOutcome:
        stage.launcher.scripts["fit"] = None  # the next attempt runs until it is ended
        return KILLED

    stage.launcher.scripts["fit"] = script
    answer = ana.do(TRAIN, wait=0.2)
    name = str(answer.body["experiment"])
    assert (answer.pending, answer.body["state"]) == (name, "started")
    stage.launcher.child("fit", 2).end()
    assert stage.application.tasks.wait(name, TIMEOUT)
    assert stage.experiment(name).training_state == "completed"
