"""`autolearn annotate`: a remark on a committed experiment."""

from __future__ import annotations

import click

from autolearn.requests import annotation_request
from autolearn.views import TASK
from cli.options import shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiment")
@click.argument("text")
@click.option("--reason", default="remark", show_default=True, help="Why; it is kept with the event.")
@shared
def annotate(terminal: Terminal, experiment: str, text: str, reason: str) -> None:
    """Add TEXT as a remark to EXPERIMENT."""
    body = annotation_request(text, reason)
    terminal.show(terminal.client().post("experiments", experiment, "annotations", body=body).body, TASK)
