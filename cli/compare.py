"""`autolearn compare`: experiments side by side, as of one position, what differs first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from autolearn.text_table import TIME, format_value
from autolearn.views import Block, Facts, View, flatten, format_measure
from cli.options import as_of, shared
from cli.output import as_json
from cli.terminal import Terminal

LEAST = 2
PARTS = {
    "measures": "",
    "intervals": "interval.",
    "spread": "std.",
    "positives": "positive.",
    "model": "model.",
    "dataset": "dataset.",
    "settings": "setting.",
    "split": "split.",
}
COLUMNS = (
    "target",
    "columns",
    "seed",
    "test_size",
    "features",
    "memory",
    "deadline",
    "actor",
    "committed_at",
    "session",
    "state",
    "withdrawn",
    "fit_seconds",
)
ABSENT = "-"
MISSING = object()  # a setting that the model has not, unlike one that is null


@click.command()
@click.argument("experiments", nargs=-1, required=True, metavar="A B...")
@as_of
@shared
def compare(terminal: Terminal, experiments: tuple[str, ...], as_of: str | None) -> None:
    """Show the experiments A B… side by side, what differs first.

    Each is an id, or a prefix of 4 characters or more that no other id has. `-` stands for a setting that a
    model does not have.
    """
    if len(experiments) < LEAST:
        raise click.UsageError("compare needs two experiments or more.")
    client, found, position = terminal.client(), [], 0
    for experiment in experiments:
        # All as of the position of the first, so that no change between two questions looks like a difference.
        answer = client.get("experiments", experiment, as_of=as_of or (f"@{position}" if position else None))
        position = position or answer.position
        found.append(answer.body)
    facts = [_facts(body) for body in found]
    terminal.show(_compare(found, facts, position), View(partial(_blocks, facts), rows="rows", csv_rows=_csv_rows))


def _compare(found: Sequence[Facts], facts: Sequence[Facts], position: int) -> Facts:
    """Return `{experiments, rows: [{name, differs, values}], position}`, differing rows first."""
    names = list(dict.fromkeys(name for it in facts for name in it))
    rows: list[dict[str, Any]] = []
    for name in names:
        values = [it.get(name, MISSING) for it in facts]
        shown = [None if value is MISSING else value for value in values]
        rows.append({"name": name, "differs": any(value != values[0] for value in values), "values": shown})
    rows.sort(key=lambda row: not row["differs"])
    return {"experiments": [body["experiment"] for body in found], "rows": rows, "position": position}


def _facts(body: Facts) -> Facts:
    facts: Facts = {}
    for part, before in PARTS.items():
        if isinstance(body.get(part), dict):
            facts |= {before + key: value for key, value in flatten(body[part]).items()}
    facts |= {key: body[key] for key in COLUMNS if key in body}
    # Of the provenance the machine and the versions: everything else in it is above already.
    machine = {key: value for key, value in (body.get("provenance") or {}).items() if isinstance(value, str | int)}
    return facts | {key: value for key, value in machine.items() if key not in facts and "sha256" not in key}


def _blocks(facts: Sequence[Facts], body: Facts) -> list[Block]:
    ids = [f"{experiment[:8]} ({number})" for number, experiment in enumerate(body["experiments"], 1)]
    lines = []
    for row in body["rows"]:
        texts = _texts([it.get(row["name"], MISSING) for it in facts], exact=row["differs"])
        lines.append({"": "≠" if row["differs"] else "=", "what": row["name"]} | dict(zip(ids, texts, strict=True)))
    return [lines]


def _texts(values: Sequence[Any], *, exact: bool) -> list[str]:
    """Return what a table shows: `-` for what there is not, and all digits where shorter ones would look the same."""
    texts = [ABSENT if value is MISSING else format_value(format_measure(value)) for value in values]
    if exact and len(set(texts)) == 1:
        return [
            value.replace("T", " ") if isinstance(value, str) and TIME.fullmatch(value) else as_json(value)
            for value in values
        ]
    return texts


def _csv_rows(body: Facts) -> list[Facts]:
    """Return the rows of csv, with a column for each experiment."""
    ids: list[str] = []
    for number, experiment in enumerate(body["experiments"], 1):
        ids.append(f"{experiment} ({number})" if experiment in ids else experiment)
    return [
        {"name": row["name"], "differs": row["differs"]} | dict(zip(ids, row["values"], strict=True))
        for row in body["rows"]
    ]
