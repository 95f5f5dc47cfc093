"""`autolearn withdraw`: take a committed experiment out of the history."""

from __future__ import annotations

import click

from cli.options import reason, shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("experiment")
@reason
@shared
def withdraw(terminal: Terminal, experiment: str, reason: str) -> None:
    """Take EXPERIMENT out of the history; it stays readable by its id."""
    terminal.show(terminal.client().post("experiments", experiment, "withdrawal", body={"reason": reason}).body, TASK)
