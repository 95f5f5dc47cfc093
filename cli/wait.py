"""`autolearn wait`: wait for the end of a task."""

from __future__ import annotations

import click

from autolearn.tasks import call_task, wait_for_end
from autolearn.views import TASK
from cli.options import check_finite, shared
from cli.tasks import exit_by_state
from cli.terminal import Terminal


@click.command()
@click.argument("name", metavar="ID")
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    callback=check_finite,
    metavar="S",
    help="Give up after so many seconds (exit code 124).",
)
@shared
def wait(terminal: Terminal, name: str, timeout: float | None) -> None:
    """Wait for the end of the training, evaluation, reproduction or search ID."""
    with terminal.working(f"Waiting for {name}"):
        client = terminal.client()
        body = call_task(name, lambda *path: wait_for_end(client, path, timeout))
    terminal.show(body, TASK)
    exit_by_state(terminal, body, different=body.get("verdict") in ("different", "not-possible"))
