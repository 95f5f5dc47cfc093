"""Whatever a task does, its end gets into the log, its slot is free again, and nothing runs for ever."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from threading import Thread

import pytest

from commands import tasks
from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import AppendHeader, StoredAppend, TaskSpec
from commands.training.request_training import RequestTraining
from domain.errors import DiskReserveError, ForbiddenError, NotAbleError
from domain.events import Event
from tests.commands.examples import fit
from tests.commands.launcher import TIMEOUT, done
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker

TRAIN = RequestTraining("iris", "svm")


@pytest.mark.parametrize("facts", [{}, {"learned": 1}, {**fit({"settings": {}, "seed": 1}).facts, "fit_seconds": "?"}])
def test_a_result_of_another_shape_is_a_failure(stage: Stage, ana: Caller, facts: dict[str, object]) -> None:
    stage.launcher.scripts["fit"] = done(**facts)
    body = ana.do(TRAIN).body
    assert (body["state"], body["error"]["reason"]) == ("failed", "error")
    assert "malformed" in body["error"]["detail"]


def test_a_result_that_is_too_large_is_a_failure(stage: Stage, ana: Caller) -> None:
    ana.train()
    stage.launcher.scripts["score"] = done(measures={"confusion-matrix": [[0.5] * 400] * 400})
    body = ana.do(RequestEvaluation()).body
    assert (body["state"], body["error"]["reason"]) == ("failed", "error")
    assert "An event has at most 262,144 bytes" in body["error"]["detail"]


def test_an_outage_when_a_task_is_started_is_no_fact_of_its_experiment(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.tasks.AGAIN_SECONDS", 0.01)
    outages: list[Exception] = [NotAbleError("no process"), DiskReserveError("no disk")]

    def refuse(_: TaskSpec) -> None:
        if outages:
            raise outages.pop()

    stage.launcher.before_start = refuse
    assert ana.do(TRAIN).body["state"] == "completed"
    assert outages == []


def test_a_task_that_cannot_be_started_is_a_failure(stage: Stage, ana: Caller) -> None:
    def refuse(_: TaskSpec) -> None:
        raise OSError("no more processes")

    stage.launcher.before_start = refuse
    body = ana.do(TRAIN).body
    assert body["state"] == "failed"
    assert body["error"] == {"reason": "error", "detail": "The task could not be run: OSError."}


@pytest.mark.parametrize(
    "trouble",
    [
        NotAbleError("The log cannot be written."),
        DiskReserveError("The disk is full."),
        ForbiddenError("This user may not write."),
        RuntimeError("nobody expected this"),
    ],
)
def test_a_result_waits_for_the_log(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.001)
    append, troubles = stage.store.append, [trouble] * 3

    def failing(events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        if events[0].NAME == "training-completed.v1" and troubles:
            raise troubles.pop()
        return append(events, header)

    monkeypatch.setattr(stage.store, "append", failing)
    assert ana.do(TRAIN).body["state"] == "completed"
    assert troubles == []


def test_the_slot_is_free_before_the_end_is_in_the_log(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The append wakes who waits for a slot; were it still taken then, nobody would wake them again."""
    append, free = stage.store.append, []

    def watching(events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        free.append(stage.launcher.free)
        return append(events, header)

    monkeypatch.setattr(stage.store, "append", watching)
    ana.do(TRAIN)
    assert free == [stage.launcher.slots - 1, stage.launcher.slots]


def test_a_cancellation_between_claim_and_start_starts_nothing(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stage.application.tasks.run

    def late(task: str, attempt: int, context: object) -> None:
        ana.do(CancelTask(task))
        run(task, attempt, context)  # type: ignore[arg-type] # a CommandContext, as it came

    monkeypatch.setattr(stage.application.tasks, "run", late)
    assert ana.do(TRAIN).body["state"] == "cancelled"
    assert stage.launcher.children == []


def test_closing_ends_children_and_records_nothing(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    head = stage.store.end()
    stage.application.close()
    assert stage.launcher.child("fit").cancelled
    assert stage.application.tasks.list_running() == []
    assert stage.store.end() == head, "the next start finds it and runs it again"
    assert stage.experiment(name).training_state == "started"


def test_whoever_waits_is_answered_when_tasks_end_though_a_child_is_not_there_yet(stage: Stage, ana: Caller) -> None:
    """A forkserver that still loads makes none for seconds."""
    asked, loaded = Signal(), Signal()

    def load(_: TaskSpec) -> None:
        asked.set()
        assert loaded.wait(TIMEOUT)

    stage.launcher.before_start = load
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(ana.do, TRAIN)
        assert asked.wait(TIMEOUT)
        stage.application.end_tasks()
        answer = call.result(TIMEOUT)
        loaded.set()
    assert (answer.body["state"], answer.pending) == ("started", answer.body["experiment"])


def test_nothing_starts_after_closing(stage: Stage, ana: Caller) -> None:
    stage.application.close()
    answer = ana.do(TRAIN)
    assert answer.body["state"] == "started"
    assert stage.launcher.children == []


def test_an_unknown_task_is_nothing_to_wait_for(stage: Stage) -> None:
    assert stage.application.tasks.wait("nothing", 20)
    stage.application.tasks.cancel("nothing")


def test_a_task_that_gets_no_thread_gives_its_slot_back_and_runs_later(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread(Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    worker = Worker(stage, is_lost=lambda _: False)
    with monkeypatch.context() as patched:
        patched.setattr(tasks, "Thread", NoThread)
        body = ana.do(TRAIN).body
        assert body["state"] == "started"
        assert stage.idle()
        worker.step().check_lost().step()
        assert stage.idle()
    worker.check_lost().step()
    name = str(body["experiment"])
    stage.until(name, name, "completed")
    assert stage.idle()
