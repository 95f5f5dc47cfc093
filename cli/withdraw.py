"""`autolearn withdraw`: take a committed experiment out of the history."""

from __future__ import annotations

import click

from autolearn.methods.history import HistoryMethods
from autolearn.views import TASK
from cli.options import reason, shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiment")
@reason
@shared
def withdraw(terminal: Terminal, experiment: str, reason: str) -> None:
    """Take EXPERIMENT out of the history; it stays readable by its id."""
    terminal.show(HistoryMethods(terminal.client()).withdraw(experiment, reason=reason).facts, TASK)
