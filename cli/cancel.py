"""`autolearn cancel`: cancel a task."""

from __future__ import annotations

import click

from autolearn.tasks import path_of_task
from cli.options import shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("name", metavar="ID")
@shared
def cancel(terminal: Terminal, name: str) -> None:
    """Cancel the training, evaluation or reproduction ID."""
    terminal.show(terminal.client().delete(*path_of_task(name)).body, TASK)
