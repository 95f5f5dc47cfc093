"""`autolearn cancel`: cancel a task."""

from __future__ import annotations

import click

from autolearn.tasks import call_task
from cli.options import shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("name", metavar="ID")
@shared
def cancel(terminal: Terminal, name: str) -> None:
    """Cancel the training, evaluation, reproduction or search ID."""
    terminal.show(call_task(name, terminal.client().delete).body, TASK)
