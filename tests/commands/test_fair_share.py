"""A fair share: clients take turns at the slots, and each may have so many unfinished tasks."""

from __future__ import annotations

from typing import Any

import pytest

from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import EventStore
from commands.quota import RECOUNT_SECONDS, Quota
from commands.session.discard_session import DiscardSession
from commands.storage.request_reproduction import RequestReproduction
from commands.task_owners import load_owner
from commands.training.request_training import RequestTraining
from domain.errors import TooManyError
from domain.task import TaskOwner
from tests.commands.race import at_once
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker

TRAIN = RequestTraining("iris", "svm")


@pytest.fixture
def one_slot(stage: Stage) -> Stage:
    stage.launcher.slots = stage.launcher.free = 1
    return stage


def queued(caller: Caller, command: Any = TRAIN) -> str:
    return str(caller.do(command, wait=0).pending)


def owners(stage: Stage) -> list[str]:
    """Return whose trainings were started, in order."""
    return [stage.experiment(child.spec.facts["experiment"]).training.owner for child in stage.launcher.of("fit")]


def test_clients_take_turns(one_slot: Stage) -> None:
    one_slot.launcher.scripts["fit"] = None
    ana, ben, cat = (one_slot.client(name) for name in ("ana", "ben", "cat"))
    for caller, number in ((ana, 4), (ben, 2)):
        for _ in range(number):
            queued(caller)
    worker = Worker(one_slot).step()
    queued(cat)
    for number in range(1, 7):
        child = one_slot.launcher.child("fit", number)
        child.end()
        name = child.spec.facts["experiment"]
        one_slot.until(name, name, "completed")
        worker.step()
    last = one_slot.launcher.child("fit", 7)
    assert owners(one_slot) == ["ana", "ben", "cat", "ana", "ben", "ana", "ana"]
    last.end()


def test_several_free_slots_are_shared(stage: Stage) -> None:
    stage.launcher.slots = stage.launcher.free = 3
    ana, ben = stage.client("ana"), stage.client("ben")
    for caller, number in ((ana, 5), (ben, 1)):
        for _ in range(number):
            queued(caller)
    stage.launcher.scripts["fit"] = None
    Worker(stage).step()
    stage.launcher.child("fit", 3)
    assert sorted(owners(stage)) == ["ana", "ana", "ben"]
    for child in stage.launcher.of("fit"):
        child.end()


def test_turns_hold_for_what_was_waiting_before_a_restart(one_slot: Stage) -> None:
    ana, ben = one_slot.client("ana"), one_slot.client("ben")
    for caller in (ana, ana, ana, ben):
        queued(caller)
    after = one_slot.another("worker-2", slots=1)
    after.launcher.scripts["fit"] = None
    worker = Worker(after).take_over()
    first = after.launcher.child("fit")
    first.end()
    name = first.spec.facts["experiment"]
    after.until(name, name, "completed")
    worker.step()
    second = after.launcher.child("fit", 2)
    assert sorted(owners(after)) == ["ana", "ben"]
    second.end()


def test_a_call_takes_no_slot_before_those_that_wait(one_slot: Stage) -> None:
    one_slot.launcher.scripts["fit"] = None
    ana, ben = one_slot.client("ana"), one_slot.client("ben")
    running = ana.begin_training()
    queued(ben)
    worker = Worker(one_slot).step()
    one_slot.launcher.child("fit").end()
    one_slot.until(running, running, "completed")
    assert one_slot.launcher.all_free()
    assert ana.do(TRAIN).pending is not None, "it waits behind ben's"
    worker.step()
    second = one_slot.launcher.child("fit", 2)
    assert owners(one_slot) == ["ana", "ben"]
    second.end()


def test_an_empty_queue_lets_calls_claim_again(one_slot: Stage, ana: Caller) -> None:
    name = queued(ana)
    worker = Worker(one_slot).step()
    one_slot.until(name, name, "completed")
    worker.step()
    assert ana.do(TRAIN).pending is None


def test_a_task_that_cannot_be_claimed_keeps_no_call_from_a_free_slot(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, read = Worker(stage), LookupError("its experiment cannot be read")
    stage.launcher.slots = stage.launcher.free = 1
    taken = stage.launcher.take_slot()
    queued(ana)
    worker.step()
    assert (taken, stage.application.tasks.is_crowded) == (True, True)
    stage.launcher.free_slot()

    def unreadable(*_: object) -> bool:
        raise read

    monkeypatch.setattr(worker.worker, "_claim", unreadable)
    for _ in range(2):
        with pytest.raises(LookupError):
            worker.step()
        assert ana.do(TRAIN).pending is None


def few(stage: Stage, most: int) -> None:
    stage.application.tasks.quota._most = most


@pytest.mark.parametrize("command", [TRAIN, "evaluate", "reproduce"])
def test_a_client_has_its_share_of_unfinished_tasks(stage: Stage, command: Any) -> None:
    ana, ben = stage.client("ana"), stage.client("ben")
    name = ana.train()
    command = {"evaluate": RequestEvaluation(name), "reproduce": RequestReproduction(name)}.get(str(command), command)
    few(stage, 3)
    for _ in range(3):
        queued(ana, command)
    with stage.refused(TooManyError, "3 unfinished tasks", limit=3):
        queued(ana, command)
    queued(ben)
    worker = Worker(stage).step()
    assert stage.idle()
    worker.step()
    queued(ana, command)


def test_a_repeat_is_no_further_task(stage: Stage, ana: Caller) -> None:
    few(stage, 1)
    first = ana.do(TRAIN, key="k", wait=0)
    assert ana.do(TRAIN, key="k", wait=0).body["experiment"] == first.body["experiment"]


@pytest.mark.parametrize("end", [CancelTask, DiscardSession])
def test_what_was_ended_counts_no_more(stage: Stage, ana: Caller, end: type[Any]) -> None:
    few(stage, 2)
    names = [queued(ana) for _ in range(2)]
    command: Any = CancelTask(names[0]) if end is CancelTask else DiscardSession()
    ana.do(command)
    Worker(stage).step()
    queued(ana)


def test_the_share_holds_for_calls_at_once(stage: Stage, ana: Caller) -> None:
    few(stage, 4)

    def ask(number: int) -> bool:
        try:
            ana.do(TRAIN, key=f"at once {number}", wait=0)
        except TooManyError:
            return False
        return True

    assert sum(at_once(12, ask)) == 4


def test_the_log_decides_whether_a_client_has_its_share(stage: Stage, ana: Caller) -> None:
    """A topic may tell of requests that never were, or not of their ends."""
    few(stage, 2)
    quota = stage.application.tasks.quota
    for number in range(2):
        quota.add_task(f"{number}aaaaaaaaaaaaaaa", "ana")
    queued(ana)


def test_the_log_is_not_asked_at_each_refusal(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    name, asked = queued(ana), list[str]()

    def look(store: EventStore, stream: str) -> TaskOwner:
        asked.append(stream)
        return load_owner(store, stream)

    monkeypatch.setattr("commands.quota.load_owner", look)
    quota = Quota(stage.store, 1)
    quota.add_task(name, "ana")
    for _ in range(3):
        with pytest.raises(TooManyError), quota.reserve_task("ana"):
            pass
    assert asked == [f"experiment:{name}"]
    quota._recounted["ana"] -= RECOUNT_SECONDS
    with pytest.raises(TooManyError), quota.reserve_task("ana"):
        pass
    assert asked == [f"experiment:{name}"] * 2


def test_another_process_counts_what_it_follows(stage: Stage, ana: Caller) -> None:
    elsewhere = stage.another("worker-2")
    few(elsewhere, 2)
    for _ in range(2):
        queued(ana)
    Worker(elsewhere, lambda _: False, frozenset()).step()
    with stage.refused(TooManyError):
        elsewhere.client("ana").do(TRAIN, key="elsewhere", wait=0)


def test_what_was_unfinished_before_a_start_counts(stage: Stage, ana: Caller) -> None:
    for _ in range(2):
        queued(ana)
    after = stage.another("worker-2")
    few(after, 2)
    after.launcher.free = 0
    Worker(after, lambda _: False).take_over()
    with stage.refused(TooManyError):
        after.client("ana").do(TRAIN, key="after", wait=0)
    after.launcher.free = after.launcher.slots
