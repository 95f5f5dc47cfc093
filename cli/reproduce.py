"""`autolearn reproduce`: train an experiment again from its record."""

from __future__ import annotations

import click

from autolearn.tasks import begin_task
from autolearn.views import TASK
from cli.options import no_wait, shared
from cli.tasks import await_task, exit_by_state
from cli.terminal import Terminal

EQUAL = ("bit-identical", "metric-equal")


@click.command()
@click.argument("experiment")
@no_wait
@shared
def reproduce(terminal: Terminal, experiment: str, *, no_wait: bool) -> None:
    """Train EXPERIMENT again from its record; exit code 1 where it does not learn the same."""
    client = terminal.client()
    with terminal.working("Training again"):
        answer = begin_task(client, ("experiments", experiment, "reproductions"), {}, background=no_wait)
    body = await_task(terminal, client, answer, wait=not no_wait)
    terminal.show(body, TASK)
    exit_by_state(terminal, body, different=bool(body.get("verdict")) and body["verdict"] not in EQUAL)
