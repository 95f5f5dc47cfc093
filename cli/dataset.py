"""`autolearn dataset`: add a file as a data set (a new version where the name exists), and retire one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.catalog import entry_blocks
from cli.options import shared
from cli.output import View
from cli.terminal import Terminal

FORMATS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".ods": "ods",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather",
}  # fmt: skip
TYPES = ("integer", "number", "boolean", "time", "string")
Decorated = Callable[..., Any]


@click.group()
def dataset() -> None:
    """Add data sets to the catalog, and retire them."""


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
    suffixes = [suffix.lower() for suffix in file.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    form = FORMATS.get("".join((suffixes[:-1] if gzip else suffixes)[-1:]))
    if form is None:
        known = ".csv, .tsv, .xlsx, .ods, .parquet or .feather"
        raise click.UsageError(f"{file.name}: a data set is a {known} file, or one of them with .gz.")
    if options["target"] is None and options["like"] is None:
        raise click.UsageError("Name the column to predict with --target, or an earlier version with --like.")
    facts = _as_query(options)
    with terminal.working(f"Uploading and reading {file.name}"):
        answer = terminal.client().upload("catalog", "datasets", file=file, format=form, gzip=int(gzip), **facts)
    terminal.show(answer.body, View(entry_blocks))


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
@shared
def retire(terminal: Terminal, name: str) -> None:
    """Take data set NAME off the catalog; what was trained on it stays reproducible."""
    terminal.show(terminal.client().post("catalog", "datasets", name, "retirement").body)
