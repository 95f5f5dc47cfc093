"""A search whose processes are killed finds what an undisturbed one finds."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.end_to_end.place import Place, Shell
from tests.end_to_end.test_kill import children

SPACE = ("-p", "n_estimators=50", "-p", "max_depth=int:2..12", "-p", "criterion=gini,entropy")
ASKED = ("search", "digits", "random-forest", *SPACE, "--strategy", "tpe", "--trials", "10", "--cv", "3", "--seed", "7")
LOOKS = 300  # each is a whole process, so it needs no pause


def board(shell: Shell, name: str) -> list[dict[str, Any]]:
    """Return what a search found, without what a repeat may change."""
    trials = shell("search", "show", name).json["trials"]
    return [{key: value for key, value in trial.items() if key not in ("seconds", "attempt")} for trial in trials]


def wait_for_trials(shell: Shell, name: str, number: int) -> None:
    """Wait until so many trials of a search have ended."""
    for _ in range(LOOKS):
        if shell("search", "show", name).json["completed"] >= number:
            return
    raise AssertionError(f"{number} trials of {name} never ended")


def test_a_search_whose_processes_are_killed_finds_the_same(place: Place) -> None:
    shell = place.start()
    undisturbed = shell(*ASKED).json["search"]
    disturbed = shell(*ASKED, "--no-wait").json["search"]
    wait_for_trials(shell, disturbed, 2)
    assert place.process is not None
    os.kill(max(children(place.process.pid)), signal.SIGKILL)
    wait_for_trials(shell, disturbed, 4)
    place.kill()
    shell = place.start()
    assert shell("wait", disturbed, "--timeout", "80").json["state"] == "completed"
    assert board(shell, disturbed) == board(shell, undisturbed)
    assert max(trial["attempt"] for trial in shell("search", "show", disturbed).json["trials"]) > 1
    assert shell("verify").json["ok"]
