"""Calls that wait: none holds a thread, what cannot come is refused at once, and one client has its share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from adapters.http.app_state import WAITS_OF_ONE
from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}
FOR_EVER = 10_000.0  # seconds: who waits where nobody should is seen by the test's own time limit
MANY = 400  # more than there are threads for anything


@pytest.fixture(autouse=True)
def wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.http.routes.context.REACHED_WITHIN", FOR_EVER)


async def begun(calls: list[Coroutine[Any, Any, Reply]]) -> list[asyncio.Task[Reply]]:
    """Let calls begin, and come back once each has done what it can do without waiting."""
    tasks = [asyncio.create_task(call) for call in calls]
    await asyncio.wait(tasks, timeout=1.0)
    return tasks


@pytest.mark.parametrize("beyond", [1, 10**9, 2**62])
def test_a_position_that_the_log_does_not_have_is_refused_at_once(rig: Rig, ana: Caller, beyond: int) -> None:
    position = min(rig.position + beyond, 2**62)

    async def all_of_them() -> list[Reply]:
        return await asyncio.gather(*(ana.question(f"/session?after_position={position}") for _ in range(MANY)))

    replies = asyncio.run(all_of_them())
    assert {(reply.status, reply.json["type"], reply.json["head"]) for reply in replies} == {
        (503, "position-not-reached", rig.position)
    }


def test_who_waits_for_a_position_holds_no_thread(
    rig: Rig, ana: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.app.state.waits._per_client = MANY
    before = rig.position
    rig.projecting.paused.set()
    position = ana.post("/trainings", TRAINING).position

    async def story() -> list[Reply]:
        threads = threading.active_count()
        targets = (f"/session?after_position={position}", f"/catalog?as_of=@{position}")
        waiting = await begun([ana.question(target) for _ in range(MANY // 2) for target in targets])
        assert not any(task.done() for task in waiting)
        assert threading.active_count() <= threads + 40
        assert await bob.asked(f"/catalog?as_of=@{before}") == 200
        assert (await bob.command("/trainings", TRAINING, Prefer="respond-async")).status == 202
        assert not any(task.done() for task in waiting)
        rig.projecting.paused.clear()
        return await asyncio.gather(*waiting)

    replies = asyncio.run(story())
    assert {reply.status for reply in replies} == {200}
    assert all(reply.position >= position for reply in replies)


def test_who_waits_for_a_training_holds_no_thread(rig: Rig, ana: Caller, bob: Caller) -> None:
    rig.app.state.waits._per_client = MANY
    before = rig.position
    launcher = rig.hold_back()

    async def story() -> list[Reply]:
        first = await begun([ana.command("/trainings", TRAINING, key="k")])
        waiting = first + await begun([ana.command("/trainings", TRAINING, key="k") for _ in range(MANY - 1)])
        assert not any(task.done() for task in waiting)
        assert await bob.asked(f"/catalog?as_of=@{before}") == 200
        launcher.may_end.set()
        return await asyncio.gather(*waiting)

    replies = asyncio.run(story())
    assert {(reply.status, reply.json["state"]) for reply in replies} == {(201, "completed")}
    assert len({reply.json["experiment"] for reply in replies}) == 1


def test_a_client_beyond_its_share_of_waits_is_refused_and_others_wait(rig: Rig, ana: Caller, bob: Caller) -> None:
    rig.projecting.paused.set()
    position = ana.post("/trainings", TRAINING).position
    target = f"/session?after_position={position}"

    async def story() -> tuple[Reply, list[Reply]]:
        waiting = await begun([ana.question(target) for _ in range(WAITS_OF_ONE)])
        refused = await ana.question(target)
        waiting += await begun([bob.question(target)])
        assert not any(task.done() for task in waiting)
        rig.projecting.paused.clear()
        return refused, await asyncio.gather(*waiting)

    refused, replies = asyncio.run(story())
    assert (refused.status, refused.json["type"], refused.headers["retry-after"]) == (429, "too-many", "1")
    assert refused.json["limit"] == WAITS_OF_ONE
    assert {reply.status for reply in replies} == {200}
    assert ana.get(target).status == 200


def test_a_training_beyond_the_share_of_waits_is_answered_before_its_end(rig: Rig, ana: Caller) -> None:
    rig.app.state.waits._per_client = 1
    launcher = rig.hold_back()

    async def story() -> tuple[Reply, list[Reply]]:
        waiting = await begun([ana.command("/trainings", TRAINING)])
        second = await ana.command("/trainings", TRAINING)
        launcher.may_end.set()
        return second, await asyncio.gather(*waiting)

    second, (first,) = asyncio.run(story())
    assert (second.status, first.status) == (202, 201)


def test_who_waits_is_told_what_hinders_the_read_models(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.projecting.paused.set()
    position = ana.post("/trainings", TRAINING).position

    async def story() -> list[Reply]:
        waiting = await begun([ana.question(f"/session?after_position={position}") for _ in range(3)])
        rig.projecting.stop()
        rig.read.close()
        return await asyncio.gather(*waiting)

    replies = asyncio.run(story())
    assert {(reply.status, reply.json["type"]) for reply in replies} == {(503, "not-able-now")}
