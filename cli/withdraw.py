"""`autolearn withdraw`: take a committed experiment out of the history."""

from __future__ import annotations

import click

from autolearn.requests import reason_request
from autolearn.views import TASK
from cli.options import reason, shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiment")
@reason
@shared
def withdraw(terminal: Terminal, experiment: str, reason: str) -> None:
    """Take EXPERIMENT out of the history; it stays readable by its id."""
    body = reason_request(reason)
    terminal.show(terminal.client().post("experiments", experiment, "withdrawal", body=body).body, TASK)
