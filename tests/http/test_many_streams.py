"""Many event streams: none holds a thread, one reader serves all, a client has its share, a stall holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from adapters.embedded.log.feed import SqliteFeed
from adapters.http.app_state import STREAMS_OF_ONE
from adapters.http.middleware.authentication import StreamAuthentication
from projections.ports import RawCommit
from projections.queries import Queries
from projections.visibility import Viewer
from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}
MANY = 300
LOOKS = 3  # of a stream that begins: its state, once it is told of changes, and once the reader of the log has begun


def following(caller: Caller, target: str, frames: int) -> asyncio.Task[Reply]:
    """Follow until so many frames have come."""
    call = caller.outgoing("GET", target)
    came = caller.exchanged(call, call.headers(), until=lambda seen: seen >= frames)
    return asyncio.create_task(came)


def last(rig: Rig) -> int:
    return rig.audit_log.recent(0)[-1].position


async def settled(streams: list[asyncio.Task[Reply]]) -> None:
    """Let streams do what they can without news."""
    await asyncio.wait(streams, timeout=1.0)
    assert not any(stream.done() for stream in streams)


def test_streams_of_the_log_hold_no_thread_and_all_hear(rig: Rig, ana: Caller, root: Caller) -> None:
    rig.app.state.streams._per_client = MANY
    ana.get("/session")

    async def story() -> list[Reply]:
        threads = threading.active_count()
        target = f"/log/events?actor=ana&after={last(rig)}"
        streams = [following(root, target, 1) for _ in range(MANY)]
        await settled(streams)
        assert threading.active_count() <= threads + 40
        assert await ana.asked("/catalog") == 200
        return await asyncio.gather(*streams)

    for reply in asyncio.run(story()):
        assert [(name, told["operation"]) for name, told in reply.events] == [("communication", "GET /catalog")]


def counted_questions(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    asked: Counter[str] = Counter()
    status = Queries.status

    def counted(queries: Queries, viewer: Viewer, task: str, at: int | None = None) -> Any:
        asked[task] += 1
        return status(queries, viewer, task, at)

    monkeypatch.setattr(Queries, "status", counted)
    return asked


def test_streams_of_tasks_hold_no_thread_and_ask_only_where_something_changed(
    rig: Rig, ana: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.app.state.streams._per_client = MANY
    launcher = rig.hold_back()
    own = ana.post("/trainings", TRAINING, Prefer="respond-async")
    asked = counted_questions(monkeypatch)

    async def story() -> list[Reply]:
        threads = threading.active_count()
        target = f"{own.headers['location']}/events?after_position={own.position}"
        streams = [following(ana, target, 10_000) for _ in range(MANY)]
        await settled(streams)
        assert threading.active_count() <= threads + 40
        for _ in range(3):
            assert (await bob.command("/trainings", TRAINING, Prefer="respond-async")).status == 202
        for _ in range(3):
            await settled(streams)
        assert asked.total() <= LOOKS * MANY
        launcher.may_end.set()
        return await asyncio.gather(*streams)

    for reply in asyncio.run(story()):
        assert reply.events[-1][0] == "result"
        assert reply.events[-1][1]["state"] == "completed"
        positions = [told["position"] for _, told in reply.events]
        assert positions == sorted(positions)


def test_a_flaw_of_one_look_at_the_log_ends_no_stream(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = rig.hold_back()
    own = ana.post("/trainings", TRAINING, Prefer="respond-async")
    looks: list[int] = []
    look = SqliteFeed.raw_after

    def flawed_once(feed: SqliteFeed, position: int, limit: int) -> list[RawCommit]:
        looks.append(position)
        if len(looks) == 1:
            launcher.may_end.set()
            raise ValueError("flaw")
        return look(feed, position, limit)

    monkeypatch.setattr(SqliteFeed, "raw_after", flawed_once)

    async def story() -> Reply:
        async with asyncio.timeout(30):
            stream = following(ana, f"{own.headers['location']}/events?after_position={own.position}", 10_000)
            await settled([stream])
            answer = await ana.command("/trainings", TRAINING, Prefer="respond-async")
            assert answer.status in {201, 202}, "tasks may end by now, this one before its answer"
            return await stream

    assert asyncio.run(story()).events[-1][1]["state"] == "completed"
    assert looks


def test_a_client_has_its_share_of_streams(rig: Rig, ana: Caller, root: Caller) -> None:
    root.post("/clients", {"client": "warden", "roles": ["sys-admin"]})
    warden = rig.caller("warden")

    async def story() -> tuple[Reply, list[Reply]]:
        target = f"/log/events?actor=ana&after={last(rig)}"
        streams = [following(root, target, 1) for _ in range(STREAMS_OF_ONE)]
        await settled(streams)
        refused = await root.question(target)
        streams.append(following(warden, target, 1))
        await settled(streams)
        await ana.asked("/catalog")
        return refused, await asyncio.gather(*streams)

    refused, replies = asyncio.run(story())
    assert (refused.status, refused.json["type"], refused.headers["retry-after"]) == (429, "too-many", "1")
    assert all(len(reply.events) == 1 for reply in replies)
    assert not rig.app.state.streams._taken


def test_who_takes_nothing_holds_nobody_up(rig: Rig, ana: Caller, root: Caller) -> None:
    is_over = threading.Event()

    async def story() -> tuple[Reply, Reply]:
        call = root.outgoing("GET", f"/log/events?actor=ana&after={last(rig)}")
        exchange = root.exchanged(call, call.headers(), stalling=True, leaving=is_over.wait)
        stalled, other = asyncio.create_task(exchange), following(root, call.target, 3)
        await settled([stalled, other])
        for _ in range(3):
            await ana.asked("/catalog")
        told = await other
        is_over.set()
        return await stalled, told

    ana.get("/catalog")
    _, other = asyncio.run(story())
    assert len(other.events) == 3
    assert not rig.app.state.streams._taken
    outcomes = Counter(record.content.outcome for record in rig.audit_log.recent(0))
    assert (outcomes["opened"], outcomes["closed"]) == (2, 2)
    assert not rig.backend.in_flight.correlations()


def test_a_change_right_after_a_wait_was_over_is_not_missed(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a stream whose wait brought nothing makes sure of its caller, its task ends and the watch sees it."""
    launcher = rig.hold_back()
    own = ana.post("/trainings", TRAINING, Prefer="respond-async")
    experiments = rig.app.state.experiments
    check = StreamAuthentication.check

    async def delayed(authentication: StreamAuthentication, caller: object) -> None:
        await check(authentication, caller)  # type: ignore[arg-type]  # passed on as it is
        launcher.may_end.set()
        async with asyncio.timeout(30):
            while experiments.position <= own.position:
                await experiments._watch.wait(lambda: experiments.position > own.position, 1.0)

    monkeypatch.setattr(StreamAuthentication, "check", delayed)

    async def story() -> Reply:
        async with asyncio.timeout(60):
            return await following(ana, f"{own.headers['location']}/events?after_position={own.position}", 10_000)

    assert asyncio.run(story()).events[-1][1]["state"] == "completed"
