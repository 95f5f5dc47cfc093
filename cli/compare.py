"""`autolearn compare`: experiments side by side, as of one position, what differs first."""

from __future__ import annotations

import click

from autolearn.comparison import LEAST, compare_experiments
from autolearn.views import View
from cli.options import as_of, shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiments", nargs=-1, required=True, metavar="A B...")
@as_of
@shared
def compare(terminal: Terminal, experiments: tuple[str, ...], as_of: str | None) -> None:
    """Show the experiments A B… side by side, what differs first.

    Each is an id, or a prefix of 4 characters or more that no other id has. `-` stands for a setting that a
    model does not have.
    """
    if len(experiments) < LEAST:
        raise click.UsageError("compare needs two experiments or more.")
    compared = compare_experiments(terminal.client(), experiments, as_of)
    terminal.show(compared.body, View(compared.blocks, rows="rows", csv_rows=compared.table))
