"""Home: what runs and waits, the session, the newest commits; first steps where there is nothing yet."""

from __future__ import annotations

from starlette.responses import Response

from autolearn.tasks import UNFINISHED
from console.page import Page

NEWEST = 8


def show_home(page: Page) -> Response:
    session = page.ask("session")
    history = page.ask("experiments", limit=NEWEST)["experiments"]
    searches = page.ask("searches")["searches"]
    datasets = page.ask("catalog", "datasets")["datasets"]
    unfinished = [it for it in session["experiments"] if it["state"] in UNFINISHED]
    running = [it for it in searches if it["state"] in UNFINISHED]
    return page.show(
        "home.html",
        title="Home",
        cli=page.cli_line("session"),
        python=page.python_line("session"),
        session=session,
        unfinished=unfinished,
        history=history,
        changed=page.changed_since(history, "experiment", "experiments", limit=NEWEST),
        searches=running,
        live=bool(unfinished or running),
        datasets=datasets,
    )
