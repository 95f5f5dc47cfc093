"""`autolearn discard`: throw the session's work away."""

from __future__ import annotations

import click

from cli.options import shared
from cli.terminal import Terminal


@click.command()
@shared
def discard(terminal: Terminal) -> None:
    """Discard the session and everything in it."""
    terminal.show(terminal.client().post("session", "discard").body)
