"""`autolearn version`."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

import click

from cli.options import shared
from cli.terminal import Terminal


@click.command()
@shared
def version(terminal: Terminal) -> None:
    """Print the version of this program."""
    terminal.show({"autolearn": installed("autolearn"), "python": platform.python_version()})
