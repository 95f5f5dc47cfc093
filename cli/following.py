"""Follows a task that was answered by 202 to its end, by asking for it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cli.client import Client
from domain.errors import WaitedTooLongError

UNFINISHED = ("requested", "started")
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 1.0, 1.5  # seconds: a short task is seen at once, a long one costs little


@dataclass(frozen=True)
class Following:
    """How long to follow (seconds, None: to the end), and the clock to do it by."""

    seconds: float | None = None
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def end_of(self, client: Client, *path: str) -> Any:
        """Return the task's object once it is finished; raises WaitedTooLongError."""
        until = None if self.seconds is None else self.clock() + self.seconds
        pause = FIRST_PAUSE
        while True:
            body = client.ask(*path).body
            if body.get("state") not in UNFINISHED:
                return body
            left = LONGEST_PAUSE if until is None else until - self.clock()
            if left <= 0:
                raise WaitedTooLongError(f"{path[-1]} is not finished after {self.seconds:g} s: it is {body['state']}.")
            client.pause(min(pause, left))
            pause = min(pause * GROWTH, LONGEST_PAUSE)


def path_of(location: str) -> tuple[str, ...]:
    """Return the parts of the path of a Location: only the path counts, credentials go to no other host."""
    return tuple(part for part in urlsplit(location).path.split("/") if part)


def path_of_task(body: dict[str, Any]) -> tuple[str, str]:
    """Return where a task's object can be asked for again, by the ids in it."""
    for kind in ("evaluation", "reproduction"):
        if body.get(kind):
            return f"{kind}s", body[kind]
    return "trainings", body["experiment"]
