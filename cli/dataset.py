"""`autolearn dataset`: add a file as a data set (a new version where the name exists), and retire one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from autolearn.text_table import format_value
from autolearn.views import Block, View
from cli.catalog import entry_blocks, suspect_rows
from cli.options import as_of, shared
from cli.terminal import Terminal

FORMATS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".ods": "ods",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather",
}  # fmt: skip
TYPES = ("integer", "number", "boolean", "time", "string")
STATISTICS = {
    "least": "least", "25 %": "lower_quartile", "median": "median", "75 %": "upper_quartile", "greatest": "greatest",
    "mean": "mean", "spread": "spread",
}  # fmt: skip
BARS = " ▁▂▃▄▅▆▇█"
MOST_CLASSES = 20  # shown
Decorated = Callable[..., Any]


@click.group()
def dataset() -> None:
    """Add data sets to the catalog, show what they hold, and retire them."""


DECISIONS = (
    click.option("--separator", metavar="MARK", help="Between values: a character, or `tab`."),
    click.option("--decimal", metavar="MARK", help="Before a number's fraction: `.` or `,`."),
    click.option("--thousands", metavar="MARK", help="Between groups of digits: `,` `.` `'` `_` `space` `none`."),
    click.option("--encoding", help="Of the text, such as utf-8 or cp1252."),
    click.option("--missing", multiple=True, metavar="TEXT", help="Means a missing value, instead of the usual words."),
    click.option("--type", "types", multiple=True, metavar="COLUMN=TYPE", help=f"One of {', '.join(TYPES)}."),
    click.option("--dayfirst", is_flag=True, help="05/03/2024 is 5 March, where that is in doubt."),
    click.option("--sheet", help="Of a workbook.  [default: the first with data]"),
    click.option("--drop", multiple=True, metavar="COLUMN", help="Leave this column out."),
    click.option("--drop-missing-target", is_flag=True, help="Leave out rows whose target is missing."),
    click.option("--positive", metavar="CLASS", help="What measures of two classes are about.  [default: the rarer]"),
    click.option("--task", type=click.Choice(("classification", "regression")), help="Predict classes or numbers."),
    click.option("--like", metavar="DATASET", help="Take the decisions of this data set, or version: penguins@1."),
)


def decisions(command: Decorated) -> Decorated:
    """Give a command the options that decide what would else be found."""
    for option in reversed(DECISIONS):
        command = option(command)
    return command


@dataset.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--name", required=True, help="Its name in the catalog.")
@click.option("--target", help="The column that models learn to predict.  [default: that of --like]")
@click.option("--licence", help="The licence of the data.")
@click.option("--source", help="Where the data come from.")
@decisions
@shared
def add(terminal: Terminal, file: Path, **options: Any) -> None:
    """Add FILE (CSV, TSV, Excel, ODS, Parquet, Feather; .gz too) to the catalog.

    A known name with other content becomes the next version. How the file is written is found where it leaves no
    doubt, and told; every decision can be given.
    """
    form, gzip = format_of(file)
    if options["target"] is None and options["like"] is None:
        raise click.UsageError("Name the column to predict with --target, or an earlier version with --like.")
    facts = _as_query(options)
    with terminal.working(f"Uploading and reading {file.name}"):
        answer = terminal.client().upload("catalog", "datasets", file=file, format=form, gzip=int(gzip), **facts)
    terminal.show(answer.body, View(entry_blocks))


def format_of(file: Path) -> tuple[str, bool]:
    """Return the format of a table by the file's name, and whether it is packed by gzip; raises click.UsageError."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    form = FORMATS.get("".join((suffixes[:-1] if gzip else suffixes)[-1:]))
    if form is None:
        known = ".csv, .tsv, .xlsx, .ods, .parquet or .feather"
        raise click.UsageError(f"{file.name}: a table is a {known} file, or one of them with .gz.")
    return form, gzip


def _as_query(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as query parameters: lists and types as JSON, and what was not given left out."""
    types = dict(_type_of(pair) for pair in options.pop("types"))
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    given = {name: value for name, value in given.items() if value not in (None, False, [])}
    lists = {name: json.dumps(value) for name, value in given.items() if isinstance(value, list)}
    flags = {name: 1 for name, value in given.items() if value is True}
    return given | lists | flags | ({"types": json.dumps(types)} if types else {})


def _type_of(pair: str) -> tuple[str, str]:
    column, mark, kind = pair.rpartition("=")
    if not mark or not column or kind not in TYPES:
        raise click.UsageError(f"--type {pair}: write COLUMN=TYPE, with a type of {', '.join(TYPES)}.")
    return column, kind


@dataset.command()
@click.argument("name")
@click.option("--rows", type=click.IntRange(1, 100), help="Show so many of its first rows, too, up to 100.")
@as_of
@shared
def show(terminal: Terminal, name: str, rows: int | None, as_of: str | None) -> None:
    """Show what data set NAME (or a version: penguins@1) holds, and what of it to look at before training."""
    answer = terminal.client().get("catalog", "datasets", name, "profile", rows=rows, as_of=as_of)
    terminal.show(answer.body, View(profile_blocks, rows=lambda body: (body.get("profile") or {}).get("columns", [])))


def profile_blocks(body: dict[str, Any]) -> list[Block]:
    """Show the table, the sizes of its classes, its columns, what to look at, and rows."""
    given = body.get("profile")
    profile: dict[str, Any] = given if isinstance(given, dict) else {}
    facts = {key: it for key, it in body.items() if key not in {"profile", "first_rows"} and it is not None}
    if profile and profile.get("rows_profiled") != profile.get("rows"):
        facts["rows_profiled"] = profile.get("rows_profiled")
    sizes = [{"class": name, "rows": count} for name, count in list((profile.get("classes") or {}).items())]
    more = f"{len(sizes) - MOST_CLASSES} more classes." if len(sizes) > MOST_CLASSES else ""
    columns = [_column_row(it) for it in profile.get("columns") or ()]
    return [facts, sizes[:MOST_CLASSES], more, columns, *suspect_rows(profile), body.get("first_rows") or []]


def _column_row(column: dict[str, Any]) -> dict[str, Any]:
    row = {"column": column.get("name")} | {key: column.get(key) for key in ("type", "missing", "distinct")}
    numbers = {head: "" if column.get(key) is None else column[key] for head, key in STATISTICS.items()}
    frequent = ", ".join(f"{format_value(it['value'])} {it['count']}" for it in column.get("frequent") or ())
    return row | numbers | {"values": _drawn(column.get("histogram") or ()) or frequent}


def _drawn(counts: Sequence[int]) -> str:
    """Draw a histogram, a bar for each bin; a bin that is not empty has one that can be seen."""
    most = max(counts, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in counts) if most else ""


@dataset.command()
@click.argument("name")
@shared
def retire(terminal: Terminal, name: str) -> None:
    """Take data set NAME off the catalog; what was trained on it stays reproducible."""
    terminal.show(terminal.client().post("catalog", "datasets", name, "retirement").body)
