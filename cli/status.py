"""`autolearn status`: how a task is doing."""

from __future__ import annotations

import click

from autolearn.tasks import path_of_task
from cli.options import as_of, shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("name", metavar="ID")
@as_of
@shared
def status(terminal: Terminal, name: str, as_of: str | None) -> None:
    """Show how the experiment, evaluation or reproduction ID is doing."""
    terminal.show(terminal.client().get(*path_of_task(name), as_of=as_of).body, TASK)
