"""Many at once: one open session per client, and every acknowledged command exactly once, whatever is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.errors import ClientError
from autolearn.positions import Positions
from tests.end_to_end.place import Place, Shell

KILLS = 2  # the third death of one task would rightly end it as failed


def client_of(shell: Shell) -> BackendClient:
    """The Remote Proxy of this shell's user, in this process."""
    credentials = Credentials.read(shell.credentials)
    positions = Positions.of(shell.credentials, shell.url, credentials.client, credentials.key)
    return BackendClient(shell.url, credentials, positions)


def test_twenty_first_trainings_at_once_make_one_session(shell: Shell) -> None:
    def train(_: int) -> Any:
        body = {"dataset": "iris", "model": "naive-bayes"}
        return client_of(shell).post("trainings", body=body, background=True).body

    with ThreadPoolExecutor(20) as pool:
        requested = list(pool.map(train, range(20)))
    assert {it["session"] for it in requested} == {requested[0]["session"]}
    for it in requested:
        assert shell("wait", it["experiment"], "--timeout", "90").json["state"] == "completed"
    assert len(shell("commit").json["experiments"]) == 20


class Trainer:
    """Trains until it is stopped; keeps what was acknowledged. A backend that is down acknowledges nothing."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.stopped = Event()
        self.acknowledged: list[str] = []

    def go_on(self) -> None:
        """Train, again and again."""
        while not self.stopped.is_set():
            try:
                answer = client_of(self.shell).post("trainings", body={"dataset": "iris", "model": "naive-bayes"})
            except ClientError:
                continue
            self.acknowledged.append(answer.body["experiment"])


def test_kill_9_at_any_moment_loses_and_doubles_nothing(place: Place) -> None:
    trainer = Trainer(place.start())
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(trainer.go_on)
        try:
            for _ in range(KILLS):
                wait_for_more(trainer.acknowledged, 5)
                place.kill()
                trainer.shell = place.start()
            wait_for_more(trainer.acknowledged, 5)
        finally:
            trainer.stopped.set()
    held = all_ended(trainer.shell)
    ids = [it["experiment"] for it in held]
    assert set(trainer.acknowledged) <= set(ids)
    assert len(ids) == len(set(ids))
    assert [it["error"] for it in held if it["state"] != "completed"] == []
    verified = trainer.shell("verify").json
    assert verified["ok"], verified


def all_ended(shell: Shell) -> list[dict[str, Any]]:
    """Wait for the end of all that the session holds; each look is a whole process."""
    for _ in range(200):
        session = shell("session").json
        if session["unfinished"] == 0:
            return list(session["experiments"])
    pytest.fail("something runs for ever")


def wait_for_more(acknowledged: list[str], more: int) -> None:
    """Wait until so many more commands were acknowledged."""
    wanted = len(acknowledged) + more
    pause = Event()
    for _ in range(6000):
        if len(acknowledged) >= wanted:
            return
        pause.wait(0.01)
    pytest.fail(f"only {len(acknowledged)} of {wanted} commands were acknowledged")
