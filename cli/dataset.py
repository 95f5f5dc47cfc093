"""`autolearn dataset`: add a file as a data set (a new version where the name exists), and retire one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from autolearn.requests import dataset_query, file_query
from autolearn.views import View
from autolearn.views.catalog import entry_blocks
from autolearn.views.profile import profile_blocks
from cli.options import as_of, shared
from cli.terminal import Terminal

TYPES = ("integer", "number", "boolean", "time", "string")
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
    written = file_query(file)
    if options["target"] is None and options["like"] is None:
        raise click.UsageError("Name the column to predict with --target, or an earlier version with --like.")
    types = dict(_type_of(pair) for pair in options.pop("types"))
    facts = dataset_query(**options, types=types)
    with terminal.working(f"Uploading and reading {file.name}"):
        answer = terminal.client().upload("catalog", "datasets", file=file, **written, **facts)
    terminal.show(answer.body, View(entry_blocks))


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


@dataset.command()
@click.argument("name")
@shared
def retire(terminal: Terminal, name: str) -> None:
    """Take data set NAME off the catalog; what was trained on it stays reproducible."""
    terminal.show(terminal.client().post("catalog", "datasets", name, "retirement").body)
