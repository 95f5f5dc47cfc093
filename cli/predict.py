"""`autolearn predict`: what a fitted model says of new rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from autolearn.client import BackendClient
from autolearn.predicting import predict_table
from autolearn.requests import file_query
from autolearn.views import Facts, View
from autolearn.views.predictions import prediction_blocks, prediction_rows
from cli.new_file import STDOUT, force_option, new_file
from cli.options import shared
from cli.terminal import Terminal

ANSWERS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}

row_option = click.option(
    "--row", metavar="JSON", help='One row instead of a file: \'{"size": 1.5, "sex": "female"}\'.'
)


@click.command()
@click.argument("experiment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path), required=False)
@row_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the answer to this .csv or .parquet file (`-`: CSV to standard output).",
)
@click.option("--proba", is_flag=True, help="The probability of each class, too.")
@click.option("--keep", is_flag=True, help="Let the backend keep the rows and the answer; else it keeps digests only.")
@force_option
@shared
def predict(
    terminal: Terminal,
    experiment: str,
    file: Path | None,
    *,
    row: str | None,
    out: Path | None,
    proba: bool,
    keep: bool,
    force: bool,
) -> None:
    """Predict the rows of FILE with the fitted model of EXPERIMENT.

    FILE is read as the data set of the training was; its columns may have any order. For each row the answer has the
    prediction, and the columns whose words or values the training has never seen. docs/predictions.md says more.
    """
    asked: Facts = {"experiment": experiment, "probabilities": int(proba), "keep": int(keep)}
    with terminal.working("Predicting"):
        client = terminal.client()
        if file is None:
            body = client.post("predictions", body=parse_row(row), **asked).body
        else:
            if row is not None:
                raise click.UsageError("Give a file or --row, not both.")
            body = _predict_file(client, file, out, asked, force=force)
    if out != STDOUT:
        terminal.show(body, View(prediction_blocks, rows=prediction_rows))


def parse_row(row: str | None) -> Any:
    """Return the JSON object of `--row`."""
    if row is None:
        raise click.UsageError("Give a file, or one row with --row.")
    try:
        parsed = json.loads(row)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--row is no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise click.UsageError('--row is no JSON object: write columns with values, {"size": 1.5}.')
    return parsed


def _predict_file(client: BackendClient, file: Path, out: Path | None, asked: Facts, *, force: bool) -> Facts:
    asked |= file_query(file)
    if out is not None:
        answer = "csv" if out == STDOUT else ANSWERS.get(out.suffix.lower())
        if answer is None:
            raise click.UsageError(f"--out {out}: the answer is a .csv or .parquet file.")
        with new_file(out, force=force) as draft:
            location = client.upload_for_file("predictions", file=file, to=draft, answer=answer, **asked)
        body: Facts = client.get("predictions", location.rpartition("/")[2]).body
        return body
    facts, _ = predict_table(client, file, asked)
    return facts
