"""The end of a task: followed where it goes on in the background, shown, and turned into an exit code."""

from __future__ import annotations

from typing import Any

import click

from autolearn.answers import Answer
from autolearn.client import Client
from autolearn.tasks import UNFINISHED, path_of_answer, wait_for_end
from cli import exit_codes
from cli.terminal import Terminal
from cli.views import FAILED, explained


def finished(terminal: Terminal, client: Client, answer: Answer, *, wait: bool) -> Any:
    """Return the object of a task, as it is at its end if `wait`."""
    if not wait or answer.body.get("state") not in UNFINISHED:
        return answer.body
    with terminal.working("The backend goes on"):
        return wait_for_end(client, path_of_answer(answer.location, answer.body))


def leave(terminal: Terminal, body: dict[str, Any], *, different: bool = False) -> None:
    """End the command with 1 where the task did not do what was asked for."""
    if body.get("state") in FAILED and not (terminal.is_for_people and body.get("error")):  # its table says why
        why = str(explained(body.get("error")) or "").rstrip(".")
        terminal.say(f"It {'was cancelled' if body['state'] == 'cancelled' else 'failed'}{f': {why}' if why else ''}.")
    if different or body.get("state") in FAILED:
        click.get_current_context().exit(exit_codes.DIFFERENT)
