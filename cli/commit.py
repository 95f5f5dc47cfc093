"""`autolearn commit`: the session's work becomes part of the history."""

from __future__ import annotations

import click

from cli.options import shared
from cli.output import View
from cli.terminal import Terminal


@click.command()
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--message", "-m", help="What this commit is about.")
@shared
def commit(terminal: Terminal, experiments: tuple[str, ...], message: str | None) -> None:
    """Commit all completed trainings of the session, or the named ones (and discard the rest)."""
    answer = terminal.client().post("session", "commit", body={"experiments": list(experiments), "message": message})
    facts = {name: value for name, value in answer.body.items() if value not in (None, [])}
    terminal.show(answer.body | {"audit": answer.audit}, View(lambda _: [facts]))  # the receipt has `audit`
    audit = f" --audit-anchor {answer.audit}" if answer.audit else ""
    terminal.say(f"Receipt: autolearn verify --anchor {answer.body.get('position')}:{answer.body.get('head')}{audit}")
