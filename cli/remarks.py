"""`autolearn annotate`, `withdraw` and `restore`: what may still be said about a committed experiment."""

from __future__ import annotations

import click

from cli.options import reason, shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("experiment")
@click.argument("text")
@click.option("--reason", default="remark", show_default=True, help="Why; it is kept with the event.")
@shared
def annotate(terminal: Terminal, experiment: str, text: str, reason: str) -> None:
    """Add TEXT as a remark to EXPERIMENT."""
    body = {"text": text, "reason": reason}
    terminal.show(terminal.client().post("experiments", experiment, "annotations", body=body).body, TASK)


@click.command()
@click.argument("experiment")
@reason
@shared
def withdraw(terminal: Terminal, experiment: str, reason: str) -> None:
    """Take EXPERIMENT out of the history; it stays readable by its id."""
    terminal.show(terminal.client().post("experiments", experiment, "withdrawal", body={"reason": reason}).body, TASK)


@click.command()
@click.argument("experiment")
@reason
@shared
def restore(terminal: Terminal, experiment: str, reason: str) -> None:
    """Put the withdrawn EXPERIMENT back into the history."""
    terminal.show(terminal.client().post("experiments", experiment, "restoration", body={"reason": reason}).body, TASK)
