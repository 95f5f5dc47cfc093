"""`autolearn replay`: the state at a time, computed from the log alone."""

from __future__ import annotations

import click

from autolearn.views import View
from autolearn.views.replay import replay_blocks
from cli import exit_codes
from cli.options import shared
from cli.steps import result_of
from cli.terminal import Terminal


@click.command()
@click.option("--as-of", metavar="T", required=True, help="A time with zone, `2h ago`, or `@position`.")
@click.argument("stream", required=False)
@shared
def replay(terminal: Terminal, as_of: str, stream: str | None) -> None:
    """Compute the state at a time from the log alone, of everything or of STREAM (for example session:ana:1).

    Exit code 1 where the read models say something else.
    """
    events = terminal.client().stream("GET", "replay", as_of=as_of, stream=stream)
    body = result_of(terminal, "Replaying", events)
    terminal.show(body, View(replay_blocks))
    if body.get("matches_read_models") is False:
        terminal.say("The read models say otherwise: `autolearn verify` says where, `autolearn rebuild` heals them.")
        click.get_current_context().exit(exit_codes.DIFFERENT)
