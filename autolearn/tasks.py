"""Long tasks: beginning one, where it is, and waiting for its end. Who is interrupted is told that it goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from autolearn.answers import Response
from autolearn.client import BACKGROUND, BackendClient, encode
from autolearn.errors import NOT_FOUND, ClientError, ProblemError, WaitTimeoutError
from autolearn.progress import Tell
from autolearn.targets import target_of

T = TypeVar("T")

UNFINISHED = ("requested", "started")
# Seconds: the end of a short task is seen at once, that of a long one at most a 60th later. Each look is a call, and so
# a record of the audit log: an hour costs some 400.
FIRST_PAUSE, LONGEST_AT_FIRST, LONGEST_PAUSE, GROWTH, PART = 0.05, 1.0, 15.0, 1.5, 1 / 60
NUMBERED = re.compile(r".+-([er])\d+")
KINDS = {"e": "evaluations", "r": "reproductions"}


def begin_task(client: BackendClient, path: tuple[str, ...], body: Any, *, background: bool = False) -> Response:
    """Send a command that begins a task; with `background` the answer (202) does not wait for its end.

    A KeyboardInterrupt meanwhile is raised anew with a sentence about the task: the same request again is the same
    command, so it tells which task that is.
    """
    call, content = client.call("POST", target_of(path, {})), encode(body)
    try:
        return client.exchange(call, content, BACKGROUND if background else {}).raise_for_status()
    except KeyboardInterrupt:
        try:
            begun = client.exchange(call, content, BACKGROUND).raise_for_status().body
        except ClientError:
            raise KeyboardInterrupt("If the task had begun, it goes on: `autolearn session` shows it.") from None
        name = path_of_answer("", begun)[-1]
        if begun.get("state") in UNFINISHED:
            raise KeyboardInterrupt(_goes_on(name)) from None
        raise KeyboardInterrupt(f"{name} has ended: `autolearn status {name}` shows how.") from None


def _goes_on(name: str) -> str:
    return f"{name} goes on: `autolearn wait {name}` waits for its end, `autolearn cancel {name}` cancels it."


def wait_for_end(
    client: BackendClient,
    path: tuple[str, ...],
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    *,
    observe: Callable[[Any], None] | None = None,
) -> Any:
    """Return a task's object once it is finished; `observe` gets each one before.

    Raises WaitTimeoutError after so many seconds (None: never).
    """
    try:
        return _poll(client, path, seconds, clock, observe)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_goes_on(path[-1])) from None


def _poll(
    client: BackendClient,
    path: tuple[str, ...],
    seconds: float | None,
    clock: Callable[[], float],
    observe: Callable[[Any], None] | None,
) -> Any:
    until = None if seconds is None else clock() + seconds
    pause, waited = FIRST_PAUSE, 0.0
    while True:
        body = client.get(*path).body
        if body.get("state") not in UNFINISHED:
            return body
        if observe is not None:
            observe(body)
        left = LONGEST_PAUSE if until is None else until - clock()
        if left <= 0:
            raise WaitTimeoutError(f"{path[-1]} is not finished after {seconds:g} s: it is {body['state']}.")
        pause = min(pause, left)
        client.pause(pause)
        waited += pause
        pause = min(pause * GROWTH, max(LONGEST_AT_FIRST, waited * PART), LONGEST_PAUSE)


def wait_and_train(
    client: BackendClient, path: tuple[str, ...], seconds: float | None = None, *, tell: Tell = lambda _, __: None
) -> Any:
    """Return a task's object once it is finished, of a search once its best trials are trained.

    `tell` gets what is being done, and how much of it (0..1) is done, if that is known. Raises WaitTimeoutError.
    """
    until = None if seconds is None else time.monotonic() + seconds
    body = wait_for_end(client, path, seconds, observe=lambda it: tell(*progress_of(it)))
    for experiment in (body.get("experiments") or ()) if "planned" in body else ():
        tell(f"Training {experiment}", None)
        left = None if until is None else max(until - time.monotonic(), 0.0)
        wait_for_end(client, ("trainings", experiment), left)
    return body


def progress_of(body: dict[str, Any]) -> tuple[str, float | None]:
    """Return what a task does, and of a search how much is done: trials that have ended, the best value so far."""
    if "planned" not in body:
        return f"{path_of_answer('', body)[-1]} is {body.get('state')}", None
    ended, number = body["completed"] + body["failed"], max(body["planned"], body["proposed"], 1)
    best = body.get("best")
    told = f", best {body['by']} {best['mean']:.4g} by {best['model']}" if best else ""
    return f"Searching: {ended} of {number} trials{told}", ended / number


def path_of_task(name: str) -> tuple[str, str]:
    """Return where a task is: `<experiment>-e1` is an evaluation, `-r1` a reproduction, all else a training."""
    match = NUMBERED.fullmatch(name)
    return (KINDS[match[1]] if match else "trainings"), name


def call_task(name: str, call: Callable[..., T]) -> T:
    """Return what `call` gives with the path of a task: an id that no training has may be that of a search."""
    try:
        return call(*path_of_task(name))
    except ProblemError as refused:
        if refused.slug != NOT_FOUND or NUMBERED.fullmatch(name):
            raise
        try:
            return call("searches", name)
        except ProblemError as again:
            raise (refused if again.slug == NOT_FOUND else again) from None


def path_of_answer(location: str, body: dict[str, Any]) -> tuple[str, ...]:
    """Return where the task of an answer is: the path of its Location (credentials go to no other host), or its id."""
    path = tuple(part for part in urlsplit(location).path.split("/") if part)
    if not path and "experiment" not in body:
        return "searches", body["search"]
    return path or path_of_task(body.get("evaluation") or body.get("reproduction") or body["experiment"])
