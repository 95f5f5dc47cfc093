"""`autolearn dataset`: add a file as a data set (a new version where the name exists), and retire one."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import shared
from cli.output import View, non_empty_facts
from cli.terminal import Terminal
from cli.views import cut_lists

FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}


@click.group()
def dataset() -> None:
    """Add data sets to the catalog, and retire them."""


@dataset.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--name", required=True, help="Its name in the catalog.")
@click.option("--target", required=True, help="The column that models learn to predict.")
@click.option("--licence", help="The licence of the data.")
@click.option("--source", help="Where the data come from.")
@shared
def add(terminal: Terminal, file: Path, **facts: str | None) -> None:
    """Add FILE (CSV, TSV or Parquet; .gz too) to the catalog.

    A known name with other content becomes the next version.
    """
    suffixes = [suffix.lower() for suffix in file.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    form = FORMATS.get("".join((suffixes[:-1] if gzip else suffixes)[-1:]))
    if form is None:
        raise click.UsageError(f"{file.name}: a data set is a .csv, .tsv or .parquet file, or one of them with .gz.")
    with terminal.working(f"Uploading and reading {file.name}"):
        answer = terminal.client().upload("catalog", "datasets", file=file, format=form, gzip=int(gzip), **facts)
    terminal.show(answer.body, View(lambda body: non_empty_facts(cut_lists(body))))


@dataset.command()
@click.argument("name")
@shared
def retire(terminal: Terminal, name: str) -> None:
    """Take data set NAME off the catalog; what was trained on it stays reproducible."""
    terminal.show(terminal.client().post("catalog", "datasets", name, "retirement").body)
