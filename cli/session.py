"""`autolearn session`: a client's uncommitted work, and earlier sessions."""

from __future__ import annotations

import click

from autolearn.views import View
from autolearn.views.session import session_blocks, session_list_blocks
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
        terminal.show(client.get("session", list=1, as_of=as_of).body, View(session_list_blocks, rows="sessions"))
        return
    body = client.get("session", session=which, as_of=as_of).body
    terminal.show(body, View(session_blocks, rows="experiments"))
    if terminal.is_for_people and body.get("session") is None:
        terminal.say("No session is open: the next training opens one.")
