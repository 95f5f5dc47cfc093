"""kill -9 of the backend and of task processes at any moment: nothing acknowledged is lost, nothing runs for ever."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.place import Place, Shell


def children(pid: int) -> list[int]:
    """The processes below one, from the kernel."""
    below = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        below += [int(child) for child in (task / "children").read_text().split()]
    return below + [deeper for child in below for deeper in children(child)]


def test_a_training_whose_backend_died_gets_its_next_attempt(place: Place) -> None:
    shell = place.start()
    requested = shell("train", "digits", "random-forest", "-p", "n_estimators=800", "--no-wait").json
    wait_for(shell, requested["experiment"], "started")
    place.kill()
    shell = place.start()
    done = shell("wait", requested["experiment"], "--timeout", "80").json
    assert (done["state"], done["attempt"]) == ("completed", 2)
    assert shell("verify").json["ok"]


def test_a_task_whose_process_is_killed_completes_by_its_next_attempt(place: Place) -> None:
    shell = place.start()
    requested = shell("train", "digits", "random-forest", "-p", "n_estimators=800", "--no-wait").json
    wait_for(shell, requested["experiment"], "started")
    assert place.process is not None
    forkserver_and_tasks = children(place.process.pid)
    os.kill(max(forkserver_and_tasks), signal.SIGKILL)
    done = shell("wait", requested["experiment"], "--timeout", "80").json
    assert (done["state"], done["attempt"]) == ("completed", 2)


def wait_for(shell: Shell, experiment: str, state: str) -> None:
    """Wait until a training is in a state; each look is a whole process, so it needs no pause."""
    for _ in range(200):
        if shell("status", experiment, code=None).json["state"] == state:
            return
    pytest.fail(f"{experiment} was never {state}")
