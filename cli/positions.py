"""`autolearn positions`: a moment as a position of the log, and the newest commits."""

from __future__ import annotations

import click

from autolearn.views import Block, Facts, View
from cli.options import as_of, shared
from cli.terminal import Terminal

MARKS = "marks"


@click.command()
@as_of
@shared
def positions(terminal: Terminal, as_of: str | None) -> None:
    """Show position, time and head (chain hash) of now or of --as-of, the end of the log, and the newest commits."""
    terminal.show(terminal.client().get("positions", as_of=as_of).body, View(_blocks, rows=MARKS))


def _blocks(body: Facts) -> list[Block]:
    facts = {name: value for name, value in body.items() if name != MARKS and value is not None}
    return [facts, list(body.get(MARKS, []))]
