"""`autolearn replay`: the state at a time, computed from the log alone."""

from __future__ import annotations

from typing import Any

import click

from cli import exit_codes
from cli.cells import flat
from cli.options import shared
from cli.output import Block, Facts, View
from cli.steps import result_of
from cli.terminal import Terminal
from cli.views import named, numbered

PARTS = ("sessions", "experiments", "catalog")


@click.command()
@click.option("--as-of", metavar="T", required=True, help="A time with zone, `2h ago`, or `@position`.")
@click.argument("stream", required=False)
@shared
def replay(terminal: Terminal, as_of: str, stream: str | None) -> None:
    """Compute the state at a time from the log alone, of everything or of STREAM (for example session:ana:1).

    Exit code 1 where the read models say something else.
    """
    events = terminal.client().events("GET", "replay", as_of=as_of, stream=stream)
    body = result_of(terminal, "Replaying", events)
    terminal.show(body, View(_blocks))
    if body.get("matches_read_models") is False:
        terminal.say("The read models say otherwise: `autolearn verify` says where, `autolearn rebuild` heals them.")
        click.get_current_context().exit(exit_codes.DIFFERENT)


def _blocks(body: Facts) -> list[Block]:
    facts = {key: value for key, value in body.items() if key not in PARTS}
    return [facts, *(_rows(body.get(part)) for part in PARTS)]


def _rows(part: Any) -> list[Facts]:
    """Return a part of the state as rows: a list as it is, a dictionary by its keys."""
    if isinstance(part, dict):
        rows = ((key, value if isinstance(value, dict) else {"": _size(value)}) for key, value in part.items())
        return [{"name": key} | _row(value) for key, value in rows]
    return [_row(it) for it in part or [] if isinstance(it, dict)]


def _row(it: Facts) -> Facts:
    short = {"model": named(it.get("model")), "dataset": numbered(it.get("dataset"))} if "model" in it else {}
    kept = flat({**it, **short})
    return {key: value for key, value in kept.items() if not isinstance(value, list | dict)}


def _size(value: Any) -> Any:
    return f"{len(value)} entries" if isinstance(value, list) else value
