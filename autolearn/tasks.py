"""Long tasks: where one is, and waiting for its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from autolearn.client import BackendClient
from autolearn.errors import WaitTimeoutError

UNFINISHED = ("requested", "started")
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 1.0, 1.5  # seconds: a short task is seen at once, a long one costs little
NUMBERED = re.compile(r".+-([er])\d+")
KINDS = {"e": "evaluations", "r": "reproductions"}


def wait_for_end(
    client: BackendClient,
    path: tuple[str, ...],
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Any:
    """Return a task's object once it is finished; raises WaitTimeoutError after so many seconds (None: never)."""
    until = None if seconds is None else clock() + seconds
    pause = FIRST_PAUSE
    while True:
        body = client.get(*path).body
        if body.get("state") not in UNFINISHED:
            return body
        left = LONGEST_PAUSE if until is None else until - clock()
        if left <= 0:
            raise WaitTimeoutError(f"{path[-1]} is not finished after {seconds:g} s: it is {body['state']}.")
        client.pause(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def path_of_task(name: str) -> tuple[str, str]:
    """Return where a task is: `<experiment>-e1` is an evaluation, `-r1` a reproduction, all else a training."""
    match = NUMBERED.fullmatch(name)
    return (KINDS[match[1]] if match else "trainings"), name


def path_of_answer(location: str, body: dict[str, Any]) -> tuple[str, ...]:
    """Return where the task of an answer is: the path of its Location (credentials go to no other host), or its id."""
    path = tuple(part for part in urlsplit(location).path.split("/") if part)
    return path or path_of_task(body.get("evaluation") or body.get("reproduction") or body["experiment"])
