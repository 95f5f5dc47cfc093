"""`autolearn status`: how a task is doing."""

from __future__ import annotations

from functools import partial

import click

from autolearn.tasks import call_task
from autolearn.views import TASK
from cli.options import as_of, shared
from cli.terminal import Terminal


@click.command()
@click.argument("name", metavar="ID")
@as_of
@shared
def status(terminal: Terminal, name: str, as_of: str | None) -> None:
    """Show how the experiment, evaluation, reproduction or search ID is doing."""
    terminal.show(call_task(name, partial(terminal.client().get, as_of=as_of)).body, TASK)
