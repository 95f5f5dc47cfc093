"""Inspections: as many at a time as slots, and each ends with the call that asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from commands.cancellation import Cancellation
from domain.errors import NotAbleError
from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

EVENTS = {"Accept": "text/event-stream"}
RESULT = {"result": {"ok": True, "position": 1}}


class Endless:
    """An inspection that tells one step, and then nothing until it is ended."""

    def __init__(self) -> None:
        self.ended = Event()

    def cancel(self) -> None:
        self.ended.set()


class EndlessInspector:
    """Starts such ones."""

    def __init__(self) -> None:
        self.running: list[Endless] = []
        self.began = Event()
        self.cancellations: list[Cancellation] = []
        self.is_ending = False

    def run(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation) -> Iterator[dict[str, Any]]:
        self.running.append(cancellation.attach(Endless()))
        self.cancellations.append(cancellation)
        return self._steps(self.running[-1])

    def _steps(self, it: Endless) -> Iterator[dict[str, Any]]:
        self.began.set()
        yield {"progress": 0.0, "what": "chain"}
        assert it.ended.wait(60)
        if self.is_ending:
            raise NotAbleError("The backend is stopping.")
        yield RESULT

    def end_all(self) -> None:
        self.is_ending = True
        for cancellation in self.cancellations:
            cancellation.request()


@pytest.fixture
def inspector(rig: Rig) -> EndlessInspector:
    endless = EndlessInspector()
    object.__setattr__(rig.backend, "inspector", endless)
    return endless


async def asked(root: Caller, until: int, headers: dict[str, str]) -> Reply:
    """Ask for a verification, and hang up after so many frames."""
    call = root.outgoing("POST", "/verifications")
    signed, sealed = call.seal_json(b'{"anchor": null}')
    return await root.exchanged(call, signed | headers, [sealed], lambda frames: frames >= until)


def test_there_are_as_many_as_slots(rig: Rig, root: Caller, inspector: EndlessInspector) -> None:
    async def story() -> tuple[Reply, list[Reply]]:
        tasks = [asyncio.create_task(asked(root, 99, EVENTS)) for _ in range(rig.backend.slots)]
        await asyncio.wait(tasks, timeout=1.0)
        refused = await asked(root, 99, {})
        for it in inspector.running:
            it.ended.set()
        return refused, await asyncio.gather(*tasks)

    refused, replies = asyncio.run(story())
    assert (refused.status, refused.json["type"], refused.headers["retry-after"]) == (503, "not-able-now", "1")
    assert f"All {rig.backend.slots} inspections" in refused.json["detail"]
    assert len(inspector.running) == rig.backend.slots
    assert {reply.events[-1][0] for reply in replies} == {"result"}
    assert not rig.app.state.inspections._taken


@pytest.mark.parametrize("headers", [EVENTS, {}], ids=["events", "one answer"])
def test_who_hangs_up_ends_it(rig: Rig, root: Caller, inspector: EndlessInspector, headers: dict[str, str]) -> None:
    async def story() -> None:
        call = root.outgoing("POST", "/verifications")
        signed, sealed = call.seal_json(b'{"anchor": null}')
        await root.exchanged(call, signed | headers, [sealed], leaving=lambda: inspector.began.wait(30))

    asyncio.run(story())
    assert inspector.running[0].ended.wait(30)
    assert not rig.app.state.inspections._taken
    assert not rig.backend.in_flight.correlations()


def test_a_stop_answers_who_waits_for_one(rig: Rig, root: Caller, inspector: EndlessInspector) -> None:
    def stop() -> None:
        assert inspector.began.wait(30)
        inspector.end_all()

    stopping = Thread(target=stop)
    stopping.start()
    refused = root.post("/verifications", {"anchor": None})
    stopping.join()
    assert (refused.status, refused.json["detail"]) == (503, "The backend is stopping.")
