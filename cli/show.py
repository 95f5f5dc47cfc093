"""`autolearn show`: everything known about one experiment."""

from __future__ import annotations

import click

from autolearn.views import View
from autolearn.views.experiment import experiment_blocks
from cli.options import as_of, shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiment")
@as_of
@shared
def show(terminal: Terminal, experiment: str, as_of: str | None) -> None:
    """Show everything known about EXPERIMENT: an id, or a prefix of 4 characters or more that no other id has.

    JSON has also learned parameters, provenance and blobs.
    """
    terminal.show(terminal.client().get("experiments", experiment, as_of=as_of).body, View(experiment_blocks))
