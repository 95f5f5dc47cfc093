"""`autolearn predictions`: what was predicted, when and by whom; and whether it would be the same now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autolearn.requests import file_query
from autolearn.views import View
from autolearn.views.predictions import prediction_list_blocks
from cli import exit_codes
from cli.options import as_of, cursor, limit, shared
from cli.predict import parse_row, row_option
from cli.terminal import Terminal

CHECK = "check"


@click.command()
@click.argument("words", nargs=-1, metavar="[EXPERIMENT | check ID [FILE]]")
@click.option("--where", metavar="FILTER", help="For example 'rows > 1000 and unseen > 0'.")
@row_option
@limit
@cursor
@as_of
@shared
def predictions(terminal: Terminal, words: tuple[str, ...], row: str | None, **query: Any) -> None:
    """List predictions, of EXPERIMENT or of all, newest first.

    `check ID FILE` (or `--row`) says whether prediction ID was made for this file, and whether the answer would be the
    same now. Exit code 1 where not.
    """
    if words[:1] == (CHECK,):
        _check(terminal, words[1:], row)
        return
    if len(words) > 1:
        raise click.UsageError("Name one experiment, or none; or `check ID FILE`.")
    experiment = words[0] if words else None
    body = terminal.client().get("predictions", experiment=experiment, **query).body
    terminal.show_page(body, View(prediction_list_blocks, rows="predictions"))


def _check(terminal: Terminal, words: tuple[str, ...], row: str | None) -> None:
    prediction, *files = words or ("",)
    if not prediction or len(files) + (row is not None) != 1:
        raise click.UsageError("Write `autolearn predictions check ID FILE`, or with --row instead of the file.")
    client = terminal.client()
    with terminal.working("Predicting again"):
        if not files:
            answer = client.post("predictions", prediction, "checks", body=parse_row(row))
        else:
            file = Path(files[0])
            if not file.is_file():
                raise click.UsageError(f"There is no file {file}.")
            answer = client.upload("predictions", prediction, "checks", file=file, **file_query(file))
    terminal.show(answer.body)
    if not answer.body.get("same_answer"):
        click.get_current_context().exit(exit_codes.DIFFERENT)
