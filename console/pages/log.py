"""Behaviour log: who called what, when, and how it went; one call with the events that it made."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from autolearn.csv_text import csv_text
from autolearn.errors import ProblemError
from console.lines import cli_line, python_line
from console.page import Page

ROWS, ROWS_OF_A_FILE, MOST_EVENTS = 100, 1_000, 200
FILTERS: Final = ("actor", "operation", "outcome", "kind", "since", "until", "correlation")
WRONG_INPUT = (400, 422)


def show_log(page: Page) -> Response:
    """Ask as of now: the audit log has positions of its own. The page says so where another moment is asked for."""
    if page.as_of is not None:
        page.ask("positions")  # refuses a moment that is none
    filters = {name: page.given(name) for name in FILTERS}
    refused, body = None, dict[str, Any](communications=[], next=None)
    try:
        body = page.ask_now("log", **filters, cursor=page.given("cursor"), limit=ROWS)
    except ProblemError as error:
        if error.status not in WRONG_INPUT:
            raise
        refused = error
    call = filters["correlation"]
    events = page.ask_now("events", correlation=call, limit=MOST_EVENTS)["events"] if call and not refused else []
    follows = bool(page.given("follow")) and not (page.given("cursor") or page.as_of or refused)
    others = {name: value for name, value in filters.items() if name != "correlation"}
    return page.show(
        "log.html",
        title="Behaviour log",
        cli=cli_line("log", *([call] if call else []), **others),
        python=python_line("log", *([call] if call else []), **others),
        status=refused.status if refused else 200,
        filters={name: value or "" for name, value in filters.items()},
        rows=body["communications"],
        next=body["next"],
        events=events,
        refused=refused,
        follows=follows,
        live=follows,
    )


def download_log(page: Page) -> Response:
    """Answer with all records that pass these filters, as CSV."""
    filters = {name: page.given(name) for name in FILTERS}
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        body = page.ask_now("log", **filters, cursor=cursor, limit=ROWS_OF_A_FILE)
        rows += body["communications"]
        cursor = body["next"]
        if cursor is None:
            return page.send_file("log.csv", "text/csv", csv_text(rows).encode())
