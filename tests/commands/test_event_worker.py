"""The event worker: queued tasks, lost tasks, cancellations; each task runs once, whoever is first."""

from __future__ import annotations

from typing import Any

import pytest

from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import NotAbleError
from tests.commands.race import at_once
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker, state

TRAIN = RequestTraining("iris", "svm")
LOST = "It was lost 3 times while it ran, the last time so: Its worker was stopped or died. Ask for it again."


def queued(caller: Caller) -> str:
    return str(caller.do(TRAIN, wait=0).body["experiment"])


def test_claims_what_waits(stage: Stage, ana: Caller) -> None:
    name = queued(ana)
    worker = Worker(stage).step()
    stage.until(name, name, "completed")
    assert worker.recorded.entries == [("training-requested", "started")]
    events = stage.events(f"experiment:{name}")
    assert [event.metadata.actor for event in events] == ["ana", "worker:worker-1", "worker:worker-1"]
    assert len({event.metadata.correlation for event in events}) == 1, "the caller's correlation goes through"


def test_who_asks_again_gets_the_result(stage: Stage, ana: Caller) -> None:
    first = ana.do(TRAIN, key="k", wait=0)
    Worker(stage).step()
    stage.until(str(first.pending), str(first.pending), "completed")
    again = ana.do(TRAIN, key="k")
    assert (again.body["state"], again.pending) == ("completed", None)
    assert again.position > first.position


def test_leaves_alone_what_a_call_runs(stage: Stage, ana: Caller) -> None:
    ana.begin_training()
    worker = Worker(stage).step()
    assert worker.recorded.entries == []
    assert len(stage.launcher.of("fit")) == 1


def test_waits_for_a_slot_in_the_logs_order(stage: Stage, ana: Caller) -> None:
    stage.launcher.slots = stage.launcher.free = 1
    stage.launcher.scripts["fit"] = None
    first, second = queued(ana), queued(ana)
    worker = Worker(stage).step()
    stage.launcher.child("fit")
    assert [state(stage.experiment(name), name)[0] for name in (first, second)] == ["started", "requested"]
    worker.step()
    assert len(stage.launcher.of("fit")) == 1
    stage.launcher.child("fit").end()
    stage.until(first, first, "completed")
    worker.step()
    stage.launcher.child("fit", 2).end()
    stage.until(second, second, "completed")


def test_claims_evaluations_and_reproductions_too(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    tasks = [ana.do(command, wait=0).pending for command in (RequestEvaluation(name), RequestReproduction(name))]
    Worker(stage).step()
    for task in tasks:
        stage.until(name, str(task), "completed")


def test_skips_what_has_ended_meanwhile(stage: Stage, ana: Caller) -> None:
    name = queued(ana)
    ana.do(CancelTask(name))
    worker = Worker(stage).step()
    assert stage.launcher.children == []
    assert worker.recorded.entries == []
    assert stage.experiment(name).training_state == "cancelled"


@pytest.mark.parametrize("end", [CancelTask, CommitSession, DiscardSession])
def test_ends_what_was_ended_elsewhere(stage: Stage, ana: Caller, end: type[Any]) -> None:
    """Another process of the backend took the cancelling call; this one runs the task."""
    kept, running = ana.train(), ana.begin_training()
    worker = Worker(stage).step()
    child = stage.launcher.child("fit", 2)
    elsewhere = stage.another("worker-2").client("ana")
    command: Any = {CancelTask: CancelTask(running), CommitSession: CommitSession((kept,))}.get(end, DiscardSession())
    elsewhere.do(command, key="elsewhere")
    assert not child.cancelled
    worker.step()
    assert child.cancelled
    assert stage.idle()
    assert stage.experiment(running).training_state == "cancelled"
    event = "training-cancelled" if end is CancelTask else "experiment-discarded"
    assert worker.recorded.entries == [(event, "cancelled")]


def test_a_discarded_one_is_not_claimed_any_more(stage: Stage, ana: Caller) -> None:
    stage.launcher.slots = stage.launcher.free = 1
    assert stage.launcher.take_slot()
    queued(ana)
    worker = Worker(stage).step()
    ana.do(DiscardSession())
    stage.launcher.free_slot()
    worker.step()
    assert stage.launcher.children == []


def restarted(stage: Stage, number: int) -> tuple[Stage, Worker]:
    """Start the backend again on the same log, after its process died."""
    after = stage.another(f"worker-{number}")
    return after, Worker(after).take_over()


def test_a_lost_task_gets_the_next_attempt(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    after, _ = restarted(stage, 2)
    after.until(name, name, "completed")
    assert state(after.experiment(name), name) == ("completed", 2)
    stage.launcher.child("fit").end()
    assert stage.idle()
    assert stage.names(f"experiment:{name}").count("training-completed") == 1, "the late result is refused"


def test_after_the_third_attempt_it_fails(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    for number in (2, 3):
        after = stage.another(f"worker-{number}")
        after.launcher.scripts["fit"] = None
        Worker(after).take_over()
        after.launcher.child("fit")
        assert state(stage.experiment(name), name) == ("started", number)
    after, _ = restarted(stage, 4)
    experiment = after.experiment(name)
    assert state(experiment, name) == ("failed", 3)
    assert experiment.tasks[name].error == {"reason": "lost", "detail": LOST}
    assert after.launcher.children == []
    assert after.launcher.free == after.launcher.slots


def test_what_another_living_worker_runs_is_left_to_it(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    other = stage.another("worker-2")
    Worker(other, is_lost=lambda _: False).take_over()
    assert state(stage.experiment(name), name) == ("started", 1)
    assert other.launcher.children == []


def test_a_restart_takes_up_what_still_waited(stage: Stage, ana: Caller) -> None:
    name = queued(ana)
    after, _ = restarted(stage, 2)
    after.until(name, name, "completed")
    assert state(after.experiment(name), name) == ("completed", 1)


def test_of_two_workers_one_runs_it(durable_stage: Stage) -> None:
    ana = durable_stage.client("ana")
    names = [queued(ana) for _ in range(6)]
    stages = [durable_stage.another(f"worker-{number}", slots=8) for number in (2, 3, 4, 5)]
    workers = [Worker(it, is_lost=lambda _: False) for it in stages]
    at_once(len(workers), lambda index: workers[index].step())
    for name in names:
        durable_stage.until(name, name, "completed")
        assert state(durable_stage.experiment(name), name) == ("completed", 1)
    assert all(it.idle() for it in stages)
    assert sum(len(it.launcher.of("fit")) for it in stages) == len(names)
    outcomes = [entry[1] for worker in workers for entry in worker.recorded.entries]
    assert outcomes.count("started") == len(names)


def test_trouble_with_one_task_neither_loses_it_nor_its_slot(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = queued(ana), queued(ana)
    worker, load, troubles = Worker(stage), stage.store.stream, [NotAbleError("The log cannot be read.")]

    def failing(stream: str, until: int | None = None) -> Any:
        if stream == f"experiment:{name}" and troubles:
            raise troubles.pop()
        return load(stream, until)

    monkeypatch.setattr(stage.store, "stream", failing)
    with pytest.raises(NotAbleError):
        worker.step()
    assert stage.launcher.free == stage.launcher.slots
    worker.step()
    for it in (name, other):
        stage.until(it, it, "completed")


def test_follows_the_log_in_its_own_thread(stage: Stage, ana: Caller) -> None:
    before = queued(ana)
    worker = Worker(stage)
    assert "does not follow the log yet" in str(worker.worker.fault)
    worker.worker.start(stage.store.end()[0])
    after = queued(ana)
    for name in (before, after):
        stage.until(name, name, "completed")
    assert worker.worker.fault is None
    worker.worker.stop()
    assert worker.worker.fault is not None
    assert worker.recorded.entries == [("training-requested", "started")]


def test_once_asked_to_stop_it_claims_nothing(stage: Stage, ana: Caller) -> None:
    """The slots of tasks that end with their process are free: each claim would cost a waiting task an attempt."""
    name = queued(ana)
    worker = Worker(stage)
    worker.worker.request_stop()
    worker.step()
    assert state(stage.experiment(name), name) == ("requested", 0)


def test_an_audit_log_that_fails_keeps_no_task_from_running(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise NotAbleError("the audit log is away")

    name = queued(ana)
    worker = Worker(stage)
    monkeypatch.setattr(worker.recorded, "record_event", full)
    worker.step()
    stage.until(name, name, "completed")
    assert stage.idle()


def test_an_event_that_cannot_be_read_keeps_nothing_before_it_from_running(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.launcher.slots = stage.launcher.free = 1
    stage.launcher.scripts["fit"] = None
    first, second = queued(ana), queued(ana)
    worker = Worker(stage).step()

    def unreadable(*_: Any) -> list[Any]:
        raise NotAbleError("position 99 cannot be read")

    monkeypatch.setattr(stage.feed, "after", unreadable)
    stage.launcher.child("fit").end()
    stage.until(first, first, "completed")
    with pytest.raises(NotAbleError):
        worker.step()
    stage.launcher.child("fit", 2).end()
    stage.until(second, second, "completed")


def test_claims_only_its_own_kinds_of_tasks(stage: Stage, ana: Caller) -> None:
    name = queued(ana)
    evaluator = Worker(stage, kinds=frozenset({"evaluation", "reproduction"})).step()
    assert evaluator.recorded.entries == []
    assert state(stage.experiment(name), name) == ("requested", 0)
    Worker(stage, kinds=frozenset({"training"})).step()
    stage.until(name, name, "completed")


def test_a_task_whose_worker_dies_later_is_taken_over_once_that_is_known(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    dead: set[str] = set()
    other = stage.another("worker-2")
    worker = Worker(other, is_lost=dead.__contains__)
    worker.check_lost().step()
    assert worker.recorded.entries == []
    dead.add(stage.application.ports.worker)
    worker.check_lost().step()
    other.until(name, name, "completed")
    assert state(other.experiment(name), name) == ("completed", 2)


def test_who_lacks_a_plug_in_leaves_the_task_to_others(stage: Stage, ana: Caller) -> None:
    stage.launcher.missing = {("model", "svm")}
    asked = ana.do(TRAIN)
    assert asked.pending is not None, "nor does a call start it"
    Worker(stage).step()
    assert stage.launcher.of("fit") == []
    assert stage.launcher.all_free()
    Worker(stage.another("worker-2")).step()
    stage.until(asked.pending, asked.pending, "completed")
