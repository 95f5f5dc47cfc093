"""`autolearn history`: the committed experiments, newest first, filtered and sorted by the backend."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from autolearn.text_table import NO_VALUE
from autolearn.views import (
    Block,
    Facts,
    View,
    count_warnings,
    format_settings,
    measure_columns,
    name_and_version,
    name_of,
    origin_of,
    positive_of,
)
from cli.options import as_of, cursor, limit, shared
from cli.terminal import Terminal

QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
NAME = re.compile(r"[\w.:@/-]+")
AVERAGE = re.compile(r":[a-z]+")
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
    blocks = partial(_blocks, _names_in(query["where"], query["sort"]))
    terminal.show_page(body, View(blocks, rows="experiments", csv_rows=_csv_rows))


def _names_in(where: str | None, sort: str | None) -> set[str]:
    """Return the words of a filter that are not quoted, and the sort key; some of them name measures or settings."""
    words = [*NAME.findall(QUOTED.sub(" ", where or "")), (sort or "").removeprefix("-")]
    return {word.removeprefix("setting.").removeprefix("measure.") for word in words}


def _blocks(asked: set[str], body: Facts) -> list[Block]:
    """Show the settings and measures that the question names first: the last columns are left out for lack of room."""
    experiments = body.get("experiments", [])
    settings = sorted({name for it in experiments for name in it.get("settings") or {} if name in asked})
    rows = zip(experiments, measure_columns(experiments), strict=True)
    return [[_row(it, measures, settings, asked) for it, measures in rows]]


def _row(it: Facts, measures: Facts, settings: Sequence[str], asked: set[str]) -> Facts:
    row = {"experiment": it.get("experiment"), "committed": it.get("committed_at"), "model": name_of(it.get("model"))}
    row["dataset"] = name_and_version(it.get("dataset"))
    taken = row | measures
    spread = {f"{name}.std": value for name, value in (it.get("spread") or {}).items()}
    values = {name: (it.get("settings") or {}).get(name, NO_VALUE) for name in settings}
    row |= {f"setting.{name}" if name in taken else name: value for name, value in values.items()}
    row |= {
        name: value for name, value in measures.items() if {name, AVERAGE.sub("", name), name.partition(":")[0]} & asked
    }
    row |= {name: value for name, value in spread.items() if {AVERAGE.sub("", name), name} & asked}
    origin = origin_of(it)
    row |= {name: value for name, value in origin.items() if name in asked}
    row |= measures | positive_of(it) | {"actor": it.get("actor")}
    row |= ({"tried": it["tried"]} if it.get("tried") else {}) | origin
    row |= {"settings": format_settings(it.get("settings"))}
    row |= count_warnings(it)
    return row | ({"withdrawn": True} if it.get("withdrawn") else {})


def _csv_rows(body: Facts) -> list[Facts]:
    """Return the rows, each with the settings and measures of all, in the order of their names."""
    rows = list(body.get("experiments", []))
    for part in ("settings", "measures"):
        names = sorted({name for row in rows for name in row.get(part) or {}})
        rows = [row | {part: {name: (row.get(part) or {}).get(name) for name in names}} for row in rows]
    return rows
