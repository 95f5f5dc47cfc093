"""`autolearn commit`: the session's work becomes part of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autolearn.requests import commit_request
from autolearn.views import Facts, View
from cli.options import shared
from cli.terminal import Terminal

if TYPE_CHECKING:
    from autolearn.client import BackendClient


@click.command()
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--message", "-m", help="What this commit is about.")
@shared
def commit(terminal: Terminal, experiments: tuple[str, ...], message: str | None) -> None:
    """Commit all completed trainings of the session, or the named ones (and discard the rest)."""
    body = commit_session(terminal.client(), experiments, message)
    facts = {name: value for name, value in body.items() if name != "audit" and value not in (None, [])}
    terminal.show(body, View(lambda _: [facts]))  # the receipt has `audit`
    say_receipt(terminal, body)


def commit_session(client: BackendClient, experiments: tuple[str, ...], message: str | None) -> Facts:
    """Commit the named experiments or all; return the answer, with where the audit log ended then (`audit`)."""
    answer = client.post("session", "commit", body=commit_request(experiments, message))
    return dict(answer.body) | {"audit": answer.audit}


def say_receipt(terminal: Terminal, body: Facts) -> None:
    audit = f" --audit-anchor {body['audit']}" if body.get("audit") else ""
    terminal.say(f"Receipt: autolearn verify --anchor {body.get('position')}:{body.get('head')}{audit}")
