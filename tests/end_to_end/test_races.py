"""Many at once: one open session per client, and every acknowledged command exactly once, whatever is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from adapters.security.credentials import Credentials
from cli.client import Client
from cli.positions import Positions
from domain.errors import AutoLearnError
from tests.end_to_end.place import Place, Shell


def client_of(shell: Shell) -> Client:
    """The Remote Proxy of this shell's user, in this process."""
    return Client(shell.url, Credentials.read(shell.credentials), Positions(shell.data / "positions-of-test.json"))


def test_twenty_first_trainings_at_once_make_one_session(shell: Shell) -> None:
    def train(_: int) -> Any:
        body = {"dataset": "iris", "model": "naive-bayes"}
        return client_of(shell).tell("trainings", body=body, background=True).body

    with ThreadPoolExecutor(20) as pool:
        requested = list(pool.map(train, range(20)))
    assert {it["session"] for it in requested} == {requested[0]["session"]}
    for it in requested:
        assert shell("wait", it["experiment"], "--timeout", "90").json["state"] == "completed"
    assert len(shell("commit").json["experiments"]) == 20


def test_kill_9_at_any_moment_loses_and_doubles_nothing(place: Place) -> None:
    shell = place.start()
    done = Event()
    acknowledged: list[str] = []

    def go_on_training() -> None:
        while not done.is_set():
            try:
                body = {"dataset": "iris", "model": "naive-bayes"}
                acknowledged.append(client_of(place_shell[0]).tell("trainings", body=body).body["experiment"])
            except AutoLearnError:
                pass  # the backend is down: nothing was acknowledged

    place_shell = [shell]
    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(go_on_training) for _ in range(3)]
        for _ in range(3):
            wait_for_more(acknowledged, 6)
            place.kill()
            place_shell[0] = place.start()
        wait_for_more(acknowledged, 6)
        done.set()
        for worker in workers:
            worker.result()
    shell = place_shell[0]
    for _ in range(100):
        held = shell("session").json["experiments"]
        if all(it["state"] in ("completed", "failed", "cancelled") for it in held):
            break
    ids = [it["experiment"] for it in held]
    assert set(acknowledged) <= set(ids)
    assert len(ids) == len(set(ids))
    assert {it["state"] for it in held} == {"completed"}
    verified = shell("verify").json
    assert verified["ok"], verified


def wait_for_more(acknowledged: list[str], more: int) -> None:
    """Wait until so many more commands were acknowledged."""
    wanted = len(acknowledged) + more
    pause = Event()
    for _ in range(6000):
        if len(acknowledged) >= wanted:
            return
        pause.wait(0.01)
    raise AssertionError(f"only {len(acknowledged)} of {wanted} commands were acknowledged")
