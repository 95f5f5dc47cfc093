"""What commands do with a task: wait for its end, and end with the exit code of its outcome."""

from __future__ import annotations

from typing import Any

import click

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.tasks import UNFINISHED, path_of_answer, wait_for_end
from autolearn.views import Facts, format_failure
from cli import exit_codes
from cli.terminal import Terminal

FAILED = ("failed", "cancelled")


def await_task(terminal: Terminal, client: BackendClient, answer: Response, *, wait: bool = True) -> Any:
    """Return the object of a task, with `wait` as it is at its end."""
    if not wait or answer.body.get("state") not in UNFINISHED:
        return answer.body
    with terminal.working("The task goes on in the backend"):
        return wait_for_end(client, path_of_answer(answer.location, answer.body))


def exit_by_state(terminal: Terminal, body: Facts, *, different: bool = False) -> None:
    """End the command with 1 where the task did not do what it was asked for."""
    if body.get("state") in FAILED and not (terminal.is_for_people and body.get("error")):  # a table says why
        reason = str(format_failure(body.get("error")) or "").rstrip(".")
        outcome = "was cancelled" if body["state"] == "cancelled" else "failed"
        terminal.say(f"It {outcome}{f': {reason}' if reason else ''}.")
    if different or body.get("state") in FAILED:
        click.get_current_context().exit(exit_codes.DIFFERENT)
