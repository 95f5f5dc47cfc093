"""`autolearn cancel`: cancel a task."""

from __future__ import annotations

import click

from autolearn.tasks import call_task
from autolearn.views import TASK
from cli.options import shared
from cli.terminal import Terminal


@click.command()
@click.argument("name", metavar="ID")
@shared
def cancel(terminal: Terminal, name: str) -> None:
    """Cancel the training, evaluation, reproduction or search ID."""
    terminal.show(call_task(name, terminal.client().delete).body, TASK)
