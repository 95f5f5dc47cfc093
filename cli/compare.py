"""`autolearn compare`: experiments side by side, as of one position, what differs first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cli.cells import flat
from cli.options import as_of, shared
from cli.output import Block, Facts, View
from cli.terminal import Terminal

LEAST = 2
PARTS = {"measures": "", "model": "model.", "dataset": "dataset.", "settings": "setting.", "split": "split."}
COLUMNS = ("seed", "test_size", "actor", "committed_at", "session", "state", "withdrawn", "fit_seconds")
MISSING = object()  # a setting that the model has not, unlike one that is null


@click.command()
@click.argument("experiments", nargs=-1, required=True, metavar="A B...")
@as_of
@shared
def compare(terminal: Terminal, experiments: tuple[str, ...], as_of: str | None) -> None:
    """Show the experiments A B… side by side, what differs first."""
    if len(experiments) < LEAST:
        raise click.UsageError("compare needs two experiments or more.")
    client, found, position = terminal.client(), [], 0
    for experiment in experiments:
        # All as of the position of the first, so that no change between two questions looks like a difference.
        answer = client.ask("experiments", experiment, as_of=as_of or (f"@{position}" if position else None))
        position = position or answer.position
        found.append(answer.body)
    terminal.show(compared(found, position), View(_blocks, rows="rows"))


def compared(found: Sequence[Facts], position: int) -> Facts:
    """Return `{experiments, rows: [{name, differs, values}], position}`, differing rows first."""
    facts = [_facts(body) for body in found]
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
            facts |= {before + key: value for key, value in flat(body[part]).items()}
    facts |= {key: body[key] for key in COLUMNS if key in body}
    # Of the provenance the machine and the versions: everything else in it is above already.
    machine = {key: value for key, value in (body.get("provenance") or {}).items() if isinstance(value, str | int)}
    return facts | {key: value for key, value in machine.items() if key not in facts and "sha256" not in key}


def _blocks(body: Facts) -> list[Block]:
    ids = [f"{experiment[:8]} ({number})" for number, experiment in enumerate(body["experiments"], 1)]
    lines = [
        {"": "≠" if row["differs"] else "=", "what": row["name"]} | dict(zip(ids, row["values"], strict=True))
        for row in body["rows"]
    ]
    return [lines]
