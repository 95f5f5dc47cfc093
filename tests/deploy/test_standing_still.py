"""The gateway and instances that stand still: passed by, asked last until they answer again; who waits is let wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from adapters.http import gateway as gateway_module
from adapters.http import watch
from adapters.http.routing import SERVICES
from tests.deploy.passing import MIB, Door, instances
from tests.deploy.test_gateway import gateway
from tests.deploy.test_supervisor import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test take no ten seconds."""
    monkeypatch.setattr(watch, "PAUSE", 0.1)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(gateway_module, "LAST_SECONDS", 1.0)


@pytest.fixture
def frozen() -> Iterator[str]:
    """What a stopped process is to others: the system takes connections for it, and that is all."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def door() -> Iterator[Door]:
    """A gateway in front of two instances of each service."""
    with instances(2) as (behind, urls), gateway(urls, behind) as opened:
        yield opened


def test_calls_go_past_an_instance_that_is_frozen(frozen: str) -> None:
    with instances(1) as (behind, urls), gateway({it: [frozen, *urls[it]] for it in urls}, behind) as door:
        for _ in range(4):
            status, _, told = door.asked("POST", "/trainings", b"{}")
            assert (status, told["service"], told["size"]) == (200, "training", 2)


def test_a_file_goes_past_it_too(frozen: str) -> None:
    with instances(1) as (behind, urls), gateway({it: [frozen, *urls[it]] for it in urls}, behind) as door:
        for _ in range(2):
            assert door.asked("POST", "/catalog/datasets?name=x", bytes(8 * MIB))[2]["size"] == 8 * MIB


def test_one_that_answers_again_is_asked_again(door: Door) -> None:
    first, second = door.behind["session"]
    first.moves.clear()
    for _ in range(2):
        assert door.asked("GET", "/session")[0] == 200
    assert second.heard.count("/session") == 2
    first.moves.set()
    first.heard.clear()
    until(lambda: door.asked("GET", "/session")[0] == 200 and "/session" in first.heard)


def test_a_call_that_waits_is_let_wait_as_long_as_its_instance_lives(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 60.0)
    echoes = door.behind["training"]
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(door.asked, "POST", "/trainings?way=late", b"{}") for _ in range(4)]
        until(lambda: all(echo.heard.count(watch.LIVE) > 10 for echo in echoes))
        asked = [echo.heard.count("/trainings") for echo in echoes]
        for echo in echoes:
            echo.time.set()
        assert [call.result()[0] for call in calls] == [200] * 4
    assert asked == [2, 2]


def test_one_look_at_a_time_is_enough_for_all_who_wait() -> None:
    async def looked(url: str) -> list[bool]:
        async with httpx.AsyncClient() as client:
            watching = watch.Watch(client)
            return await asyncio.gather(*[watching.lives(url) for _ in range(4)])

    with instances(1) as (behind, urls):
        assert asyncio.run(looked(urls["session"][0])) == [True] * 4
        assert behind["session"][0].heard == [watch.LIVE]


def test_where_nobody_else_is_left_it_is_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "LAST_SECONDS", 20.0)
    echoes = door.behind["session"]
    for echo in echoes:
        echo.moves.clear()
    with ThreadPoolExecutor() as pool:
        call = pool.submit(door.asked, "GET", "/session")
        until(lambda: all(echo.heard.count(watch.LIVE) > 1 for echo in echoes))
        for echo in echoes:
            echo.moves.set()
        assert call.result()[0] == 200


def test_nobody_else_is_left_where_the_other_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "LAST_SECONDS", 20.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        nowhere = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with instances(1) as (behind, urls), gateway({it: [*urls[it], nowhere] for it in urls}, behind) as door:
        (echo,) = behind["session"]
        echo.moves.clear()
        with ThreadPoolExecutor() as pool:
            call = pool.submit(door.asked, "GET", "/session")
            until(lambda: echo.heard.count("/session") == 2)
            echo.moves.set()
            assert call.result()[0] == 200


@pytest.mark.parametrize("number", [1, 2])
def test_not_for_ever_though(frozen: str, number: int) -> None:
    with gateway(dict.fromkeys(SERVICES, [frozen] * number), {}) as door:
        status, headers, told = door.asked("GET", "/session")
        assert (status, headers["retry-after"], told["type"]) == (503, "1", "not-able-now")
