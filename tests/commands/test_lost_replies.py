"""A claim that is in the log and of which its own process never heard: the task runs, once, as it was claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from commands.ports import AppendHeader, StoredAppend
from commands.training.request_training import RequestTraining
from commands.waiting_tasks import ALL_KINDS
from domain.errors import NotAbleError
from domain.events import Event
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker, state

TRAIN = RequestTraining("iris", "svm")
NOBODY: frozenset[str] = frozenset()


@pytest.fixture(params=["the log is back at once", "the log stays away"])
def lose_reply(request: pytest.FixtureRequest, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function: the next claim is stored, but its reply is lost; whether the log can be asked then differs."""
    append, version = stage.store.append, stage.store.version
    lost: list[StoredAppend] = []

    def losing(events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        appended = append(events, header)
        if any("-started" in event.NAME for event in events) and not lost:
            lost.append(appended)
            raise NotAbleError("MongoDB cannot do it now.")
        return appended

    def away(stream: str) -> int:
        if lost:
            raise NotAbleError("MongoDB cannot do it now.")
        return version(stream)

    def begin() -> None:
        monkeypatch.setattr(stage.store, "append", losing)
        if request.param == "the log stays away":
            monkeypatch.setattr(stage.store, "version", away)

    return begin


def living(_: str) -> bool:
    return False


def back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()


def ends_once(stage: Stage, name: str) -> None:
    stage.until(name, name, "completed")
    assert stage.idle()
    assert state(stage.experiment(name), name) == ("completed", 1)
    assert len(stage.launcher.of("fit")) == 1


def test_of_an_event_worker(
    stage: Stage, ana: Caller, lose_reply: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(ana.do(TRAIN, wait=0).body["experiment"])
    worker = Worker(stage, is_lost=living)
    lose_reply()
    with suppress(NotAbleError):
        worker.step()
    assert state(stage.experiment(name), name) == ("started", 1)
    back(monkeypatch)
    worker.step().check_lost().step()
    ends_once(stage, name)


def test_of_a_call(stage: Stage, ana: Caller, lose_reply: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that answers calls claims nothing that waits, but ends what it has started."""
    worker = Worker(stage, is_lost=living, kinds=NOBODY)
    lose_reply()
    with suppress(NotAbleError):
        ana.do(TRAIN, key="k")
    back(monkeypatch)
    worker.step().check_lost().step()
    answer = ana.do(TRAIN, key="k")
    assert (answer.body["state"], answer.pending) == ("completed", None)
    ends_once(stage, str(answer.body["experiment"]))


def test_waits_for_a_slot(
    stage: Stage, ana: Caller, lose_reply: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(stage, is_lost=living, kinds=NOBODY)
    lose_reply()
    with suppress(NotAbleError):
        ana.do(TRAIN, key="k")
    back(monkeypatch)
    name = str(ana.do(TRAIN, key="k").pending)
    stage.launcher.slots = stage.launcher.free = 1
    assert stage.launcher.take_slot()
    worker.step().check_lost().step()
    assert stage.launcher.of("fit") == []
    stage.launcher.free_slot()
    worker.step()
    ends_once(stage, name)


@pytest.mark.parametrize("kinds", [ALL_KINDS, NOBODY])
def test_a_claim_whose_reply_is_on_its_way_is_not_run_twice(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch, kinds: frozenset[str]
) -> None:
    append, worker, children = stage.store.append, Worker(stage, is_lost=living, kinds=kinds), []

    def late(events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        appended = append(events, header)
        worker.step().check_lost().step()
        children.append(len(stage.launcher.of("fit")))
        return appended

    monkeypatch.setattr(stage.store, "append", late)
    name = ana.train()
    assert children == [0, 1], "once when it was claimed, once when it had ended"
    worker.check_lost().step()
    ends_once(stage, name)


def test_what_runs_is_left_alone_however_often_it_is_looked_at(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    worker = Worker(stage, is_lost=living)
    for _ in range(3):
        worker.check_lost().step()
    stage.launcher.child("fit").end()
    ends_once(stage, name)


def test_who_claims_nothing_does_not_take_what_another_has_taken_over(
    stage: Stage, ana: Caller, lose_reply: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own lease had run out, so that others held it for dead."""
    serving = Worker(stage, is_lost=lambda _: True, kinds=NOBODY)
    lose_reply()
    with suppress(NotAbleError):
        ana.do(TRAIN, key="k")
    back(monkeypatch)
    name = str(ana.do(TRAIN, key="k").pending)
    taken = [stage.launcher.take_slot() for _ in range(stage.launcher.slots)]
    serving.step().check_lost().step()
    other = stage.another("worker-2")
    other.launcher.scripts["fit"] = None
    Worker(other).take_over()
    for _ in taken:
        stage.launcher.free_slot()
    unread: Callable[..., list[Any]] = lambda *_: []  # noqa: E731 - a feed that has not come so far yet
    monkeypatch.setattr(stage.feed, "after", unread)
    serving.step()
    assert stage.idle()
    assert stage.launcher.of("fit") == []
    other.launcher.child("fit").end()
    stage.until(name, name, "completed")
    assert state(stage.experiment(name), name) == ("completed", 2)
