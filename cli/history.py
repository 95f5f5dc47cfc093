"""`autolearn history`: the committed experiments, newest first, filtered and sorted by the backend."""

from __future__ import annotations

from typing import Any

import click

from cli.options import as_of, cursor, limit, shared
from cli.output import Block, Facts, View
from cli.terminal import Terminal
from cli.views import format_settings, measure_columns, name_and_version, name_of

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
    terminal.show_page(body, View(_blocks, rows="experiments", csv_rows=_csv_rows))


def _blocks(body: Facts) -> list[Block]:
    experiments = body.get("experiments", [])
    return [[_row(it, measures) for it, measures in zip(experiments, measure_columns(experiments), strict=True)]]


def _row(it: Facts, measures: Facts) -> Facts:
    row = {"experiment": it.get("experiment"), "committed": it.get("committed_at"), "model": name_of(it.get("model"))}
    row["dataset"] = name_and_version(it.get("dataset"))
    row |= measures | {"actor": it.get("actor"), "settings": format_settings(it.get("settings"))}
    return row | ({"withdrawn": True} if it.get("withdrawn") else {})


def _csv_rows(body: Facts) -> list[Facts]:
    """Return the rows, each with the settings and measures of all, in the order of their names."""
    rows = list(body.get("experiments", []))
    for part in ("settings", "measures"):
        names = sorted({name for row in rows for name in row.get(part) or {}})
        rows = [row | {part: {name: (row.get(part) or {}).get(name) for name in names}} for row in rows]
    return rows
