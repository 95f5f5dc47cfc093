"""`autolearn show`: everything known about one experiment."""

from __future__ import annotations

import click

from autolearn.views import NOTES, Block, Facts, View, format_split, measure_rows, name_and_version, name_of
from cli.options import as_of, shared
from cli.terminal import Terminal

LISTS = ("evaluations", "reproductions", "annotations", "events", "measures")
HIDDEN = (*NOTES, "learned", "provenance", "blobs", "report")


@click.command()
@click.argument("experiment")
@as_of
@shared
def show(terminal: Terminal, experiment: str, as_of: str | None) -> None:
    """Show everything known about EXPERIMENT: an id, or a prefix of 4 characters or more that no other id has.

    JSON has also learned parameters, provenance and blobs.
    """
    terminal.show(terminal.client().get("experiments", experiment, as_of=as_of).body, View(_blocks))


def _blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key not in LISTS + HIDDEN and value not in (None, {}, [])}
    facts |= {"model": name_of(body.get("model")), "dataset": name_and_version(body.get("dataset"))}
    facts["split"] = format_split(body.get("split"))
    events = [
        {"position": it.get("position"), "at": it.get("at"), "event": it.get("name"), "actor": it.get("actor")}
        for it in body.get("events") or []
    ]
    return [facts, measure_rows(body), list(body.get("annotations") or []), events]
