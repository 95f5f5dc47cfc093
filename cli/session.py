"""`autolearn session`: a client's uncommitted work, and earlier sessions."""

from __future__ import annotations

import click

from autolearn.views import Block, Facts, View, experiment_rows
from cli.options import as_of, shared
from cli.terminal import Terminal


@click.command()
@click.argument("which", metavar="[list|SESSION]", required=False)
@as_of
@shared
def session(terminal: Terminal, which: str | None, as_of: str | None) -> None:
    """Show your open session, the earlier SESSION, or a list of all of yours."""
    client = terminal.client()
    if which == "list":
        terminal.show(client.get("session", list=1, as_of=as_of).body, View(_list_blocks, rows="sessions"))
        return
    body = client.get("session", session=which, as_of=as_of).body
    terminal.show(body, View(_blocks, rows="experiments"))
    if terminal.is_for_people and body.get("session") is None:
        terminal.say("No session is open: the next training opens one.")


def _blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key != "experiments" and value not in (None, {})}
    shows_standing = body.get("state") != "open"  # only then it matters which were committed
    experiments = body.get("experiments", [])
    rows = [
        row | ({"standing": it.get("standing")} if shows_standing else {})
        for it, row in zip(experiments, experiment_rows(experiments), strict=True)
    ]
    return [facts, rows]


def _list_blocks(body: Facts) -> list[Block]:
    rows = []
    for it in body.get("sessions", []):
        experiments = it.get("experiments")
        count = len(experiments) if isinstance(experiments, list) else experiments
        rows.append({key: value for key, value in it.items() if key != "experiments"} | {"experiments": count})
    return [rows]
