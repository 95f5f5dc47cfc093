"""`autolearn restore`: put a withdrawn experiment back."""

from __future__ import annotations

import click

from cli.options import reason, shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("experiment")
@reason
@shared
def restore(terminal: Terminal, experiment: str, reason: str) -> None:
    """Put the withdrawn EXPERIMENT back into the history."""
    terminal.show(terminal.client().post("experiments", experiment, "restoration", body={"reason": reason}).body, TASK)
