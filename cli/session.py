"""`autolearn session`, `commit` and `discard`: a client's uncommitted work."""

from __future__ import annotations

import click

from cli.options import as_of, shared
from cli.output import Block, Facts, View
from cli.terminal import Terminal
from cli.views import experiment_row


@click.command()
@click.argument("which", metavar="[list|SESSION]", required=False)
@as_of
@shared
def session(terminal: Terminal, which: str | None, as_of: str | None) -> None:
    """Show your open session, the earlier SESSION, or a list of all of yours."""
    client = terminal.client()
    if which == "list":
        terminal.show(client.get("session", list=1, as_of=as_of).body, View(_listed, rows="sessions"))
        return
    body = client.get("session", session=which, as_of=as_of).body
    terminal.show(body, View(_blocks, rows="experiments"))
    if terminal.is_for_people and body.get("session") is None:
        terminal.say("No session is open: the next training opens one.")


@click.command()
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--message", "-m", help="What this commit is about.")
@shared
def commit(terminal: Terminal, experiments: tuple[str, ...], message: str | None) -> None:
    """Commit all completed trainings of the session, or the named ones (and discard the rest)."""
    answer = terminal.client().post("session", "commit", body={"experiments": list(experiments), "message": message})
    body = answer.body | {"audit": answer.audit}
    terminal.show(
        body, View(lambda told: [{key: it for key, it in told.items() if key != "audit"}])
    )  # it is said below
    audit = f" --audit-anchor {answer.audit}" if answer.audit else ""
    terminal.say(f"Receipt: autolearn verify --anchor {body.get('position')}:{body.get('head')}{audit}")


@click.command()
@shared
def discard(terminal: Terminal) -> None:
    """Discard the session and everything in it."""
    terminal.show(terminal.client().post("session", "discard").body)


def _blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key != "experiments" and value is not None}
    is_over = body.get("state") != "open"  # then it matters which were committed, which discarded
    return [facts, [experiment_row(it) | _standing(it, shown=is_over) for it in body.get("experiments", [])]]


def _standing(it: Facts, *, shown: bool) -> Facts:
    return {"standing": it.get("standing")} if shown else {}


def _listed(body: Facts) -> list[Block]:
    rows = []
    for it in body.get("sessions", []):
        held = it.get("experiments")
        count = len(held) if isinstance(held, list) else held
        rows.append({key: value for key, value in it.items() if key != "experiments"} | {"experiments": count})
    return [rows]
