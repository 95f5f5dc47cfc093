"""`autolearn events`: the event log itself, of one stream with what each event changed, of a call, or whole."""

from __future__ import annotations

from typing import Any

import click

from autolearn.text_table import format_value
from autolearn.views import Block, Facts, View
from cli.options import as_of, shared
from cli.terminal import Terminal

MOST = 500  # of a page
LONGEST = 40  # characters of a value in a table
EXAMPLES = """\b
autolearn events hp6z4kop2cyzeu63
autolearn events session:ana-3 --newest --limit 5
autolearn events --correlation 4156a31d255d4a36879dccd88829fe5e
"""


@click.command(epilog=EXAMPLES)
@click.argument("stream", required=False)
@click.option("--correlation", metavar="C", help="Only of this call and its tasks; `autolearn log` shows it.")
@click.option("--after", metavar="N", type=click.IntRange(min=0), help="Only after this position.")
@click.option("--before", metavar="N", type=click.IntRange(min=0), help="Only before this position.")
@click.option("--limit", type=click.IntRange(1, MOST), help=f"At most so many events, up to {MOST}.  [default: 100]")
@click.option("--newest", is_flag=True, help="The newest first.")
@as_of
@shared
def events(terminal: Terminal, *, newest: bool, **query: Any) -> None:
    """List the events of STREAM, oldest first, and what each changed.

    STREAM is an experiment's id, or KIND:NAME (experiment, search, session, prediction, dataset, model, measure;
    for sys-admins also client). Sys-admins can leave it out: then the whole log is listed.
    """
    body = terminal.client().get("events", order="newest" if newest else None, **query).body
    terminal.show(body, View(_blocks, rows="events"))
    if terminal.form != "json" and body.get("next") is not None:
        terminal.say(f"More: the same command with {'--before' if newest else '--after'} {body['next']}")


def _blocks(body: Facts) -> list[Block]:
    return [[_row(it) for it in body.get("events", [])]]


def _row(it: Facts) -> Facts:
    row = {name: it.get(name) for name in ("position", "at", "type", "actor")}
    if "changed" not in it:
        row |= {name: it.get(name) for name in ("stream", "correlation")}
    else:
        row["changed"] = _format_changed(it["changed"])
    return row | ({"reason": it["reason"]} if it.get("reason") else {})


def _format_changed(changed: Any) -> str:
    pairs = changed.items() if isinstance(changed, dict) else ()
    return ", ".join(f"{name}: {_short(old)} -> {_short(new)}" for name, (old, new) in pairs)


def _short(value: Any) -> str:
    text = format_value(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
