"""A task that belongs to its call: the call waits for it, and ends it when its caller hangs up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from commands.cancellation import Cancellation
from commands.ports import Launcher, TaskBroken, TaskSpec
from domain.errors import BadInputError, NotAbleError


def run_call_task(
    launcher: Launcher, spec: TaskSpec, failure: str, cancellation: Cancellation | None = None
) -> dict[str, Any]:
    """Run a task and return its facts; `failure` begins the sentence about one that failed.

    Raises BadInputError for a fault in what the caller gave, else NotAbleError. There is no next attempt of a task that
    was killed: the caller still waits and can repeat the call.
    """
    outcome = (cancellation or Cancellation()).attach(launcher.start(replace(spec, in_call=True))).result()
    if isinstance(outcome, TaskBroken):
        if outcome.reason in ("bad-input", "memory-limit", "deadline"):
            raise BadInputError(outcome.detail, reason=outcome.reason)
        repeat = " Repeat the call." if outcome.is_killed else ""
        raise NotAbleError(f"{failure}: {outcome.detail}{repeat}")
    return outcome.facts
