"""`autolearn log`: the audit log, newest first, or as it grows."""

from __future__ import annotations

from typing import Any

import click

from autolearn.events import check_problem
from autolearn.text_table import format_value
from autolearn.views import Facts, View
from autolearn.views.log import log_blocks, log_row
from cli.options import cursor, limit, shared
from cli.terminal import Terminal

# beside the status of a call
OUTCOMES = ("opened", "closed", "gone", "started", "lost", "settled", "cancelled", "failed", "skipped")
FOLLOWED = ("position", "at", "actor", "target", "operation", "outcome", "milliseconds")


@click.command()
@click.argument("correlation", required=False)
@click.option("--follow", "-f", is_flag=True, help="Print new records as they come, until interrupted.")
@click.option("--actor", help="Only of this client or worker.")
@click.option("--operation", help="Only this operation, for example 'POST /trainings'.")
@click.option(
    "--outcome", help=f"Only with this outcome: an HTTP status, {', '.join(OUTCOMES[:-1])} or {OUTCOMES[-1]}."
)
@click.option("--kind", help="call, message or process.")
@click.option("--since", metavar="T", help="At or after this time.")
@click.option("--until", metavar="T", help="At or before this time.")
@limit
@cursor
@shared
def log(terminal: Terminal, *, follow: bool, **query: Any) -> None:
    """Show who called what, when, and how it went; with CORRELATION, one command through all services."""
    if follow:
        _follow(terminal, {key: value for key, value in query.items() if key not in ("limit", "cursor")})
        return
    body = terminal.client().get("log", **query).body
    terminal.show_page(body, View(log_blocks, rows="communications"))


def _follow(terminal: Terminal, query: Facts) -> None:
    for event in terminal.client().stream("GET", "log", "events", **query):
        check_problem(event)
        if isinstance(event.data, dict) and "operation" in event.data:
            columns = (*FOLLOWED, "count") if event.data.get("count", 1) != 1 else FOLLOWED
            terminal.show_line(event.data, "  ".join(map(format_value, log_row(event.data, columns).values())))
