"""`autolearn rebuild`: read models anew from the log, while the backend serves."""

from __future__ import annotations

import click

from cli.options import shared
from cli.steps import result_of
from cli.terminal import Terminal

PROJECTIONS = ("catalog", "session", "experiment", "history", "tasks", "search", "prediction")


@click.command(help=f"Compute a read model ({', '.join(PROJECTIONS)}), or all, anew from the log.")
@click.argument("projection", required=False)
@click.option("--all", "whole", is_flag=True, help="All of them; the default.")
@shared
def rebuild(terminal: Terminal, projection: str | None, *, whole: bool) -> None:
    if whole and projection is not None:
        raise click.UsageError("Name a projection or say --all, not both.")
    if projection is not None and projection not in PROJECTIONS:
        raise click.UsageError(f"There is no projection {projection!r}: there are {', '.join(PROJECTIONS)}.")
    events = terminal.client().stream("POST", "rebuilds", body={"projection": projection})
    terminal.show(result_of(terminal, "Rebuilding", events))
