"""`autolearn predict`: what a fitted model says of new rows."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import click

from autolearn.client import BackendClient
from autolearn.views import Block, Facts, View
from cli.dataset import format_of
from cli.new_file import STDOUT, force_option, new_file
from cli.options import shared
from cli.terminal import Terminal

SHOWN = 20  # rows of a table for people
PROBABILITY, SEPARATOR = "probability_", "; "
ANSWERS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
HIDDEN = ("classes", "numbers", "answer", "predictions")

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
        terminal.show(body, View(_blocks, rows=_rows))


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
    form, gzip = format_of(file)
    asked |= {"format": form, "gzip": int(gzip)}
    if out is not None:
        answer = "csv" if out == STDOUT else ANSWERS.get(out.suffix.lower())
        if answer is None:
            raise click.UsageError(f"--out {out}: the answer is a .csv or .parquet file.")
        with new_file(out, force=force) as draft:
            name = client.upload_for_file("predictions", file=file, to=draft, answer=answer, **asked)
        return _recorded(client, name)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "answer.csv"
        body = _recorded(client, client.upload_for_file("predictions", file=file, to=draft, **asked))
        with draft.open(encoding="utf-8", newline="") as lines:
            is_number = bool(body.get("numbers"))
            rows = [_answer(it, is_number=is_number) for it in csv.DictReader(lines)]
        return body | {"predictions": rows}


def _recorded(client: BackendClient, location: str) -> Facts:
    body: Facts = client.get("predictions", location.rpartition("/")[2]).body
    return body


def _answer(row: dict[str, str], *, is_number: bool) -> Facts:
    """Return a line of the answer as JSON has it, as for a single row."""
    chances = {name: float(it) for name, it in row.items() if name.startswith(PROBABILITY)}
    return {
        "prediction": float(row["prediction"]) if is_number else row["prediction"],
        "probabilities": {name.removeprefix(PROBABILITY): it for name, it in chances.items()},
        **{name: row[name].split(SEPARATOR) if row[name] else [] for name in ("unseen_words", "beyond_range")},
    }


def _rows(body: Facts) -> list[Facts]:
    return list(body.get("predictions") or [body.get("answer") or {}])


def _blocks(body: Facts) -> list[Block]:
    rows = _rows(body)
    flat = [
        {"prediction": it.get("prediction")}
        | it.get("probabilities", {})
        | {name: ", ".join(it[name]) for name in ("unseen_words", "beyond_range") if any(row.get(name) for row in rows)}
        for it in rows[:SHOWN]
        if it
    ]
    more = f"{len(rows) - SHOWN} more rows: --out FILE writes all." if len(rows) > SHOWN else ""
    return [summary_of(body), flat, more]


def summary_of(body: Facts) -> Facts:
    """Return what a person wants to know of a prediction."""
    facts = {name: value for name, value in body.items() if name not in HIDDEN and value not in (None, [], {}, False)}
    facts |= {name: body[name]["sha256"] for name in ("input", "output") if isinstance(body.get(name), dict)}
    counts = body.get("numbers") or body.get("classes") or {}
    return facts | ({"predicted": ", ".join(f"{name}: {value}" for name, value in counts.items())} if counts else {})
