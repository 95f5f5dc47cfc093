"""`autolearn history`: the committed experiments, newest first, filtered and sorted by the backend."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from autolearn.views import (
    Facts,
    View,
)
from autolearn.views.history import history_blocks, names_in
from cli.options import as_of, cursor, limit, shared
from cli.terminal import Terminal

EXAMPLES = """\b
autolearn history --where 'precision > 0.9 and C in (1, 10)' --sort -precision
autolearn history --where 'max_depth = none or model = svm' --since 7d
"""


@click.command(epilog=EXAMPLES)
@click.option("--model", help="Only of this model.")
@click.option("--dataset", help="Only on this data set.")
@click.option("--actor", help="Only committed by this client.")
@click.option("--where", metavar="FILTER", help="For example 'precision > 0.9 and C in (1, 10)'.")
@click.option("--since", metavar="T", help="Committed at or after this time.")
@click.option("--until", metavar="T", help="Committed at or before this time.")
@click.option("--sort", help="A column, measure or setting; -precision for the greatest first.")
@limit
@cursor
@click.option("--withdrawn", is_flag=True, help="Withdrawn ones too.")
@as_of
@shared
def history(terminal: Terminal, *, withdrawn: bool, **query: Any) -> None:
    """List the committed experiments, newest first; docs/filters.md describes FILTER and the sort keys."""
    body = terminal.client().get("experiments", withdrawn=1 if withdrawn else None, **query).body
    blocks = partial(history_blocks, names_in(query["where"], query["sort"]))
    terminal.show_page(body, View(blocks, rows="experiments", csv_rows=_csv_rows))


def _csv_rows(body: Facts) -> list[Facts]:
    """Return the rows, each with the settings and measures of all, in the order of their names."""
    rows = list(body.get("experiments", []))
    for part in ("settings", "measures"):
        names = sorted({name for row in rows for name in row.get(part) or {}})
        rows = [row | {part: {name: (row.get(part) or {}).get(name) for name in names}} for row in rows]
    return rows
