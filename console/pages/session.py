"""Session: the caller's uncommitted work; commit it with a message, or discard it."""

from __future__ import annotations

from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from autolearn.tasks import UNFINISHED
from console.page import Page


def show_session(page: Page, refused: ClientError | None = None) -> Response:
    named = page.given("session")
    which = [named] if named else []
    session = page.ask("session", session=named)
    experiments = session["experiments"]
    unfinished = [it for it in experiments if it["state"] in UNFINISHED]
    return page.show(
        "session.html",
        title="Session",
        cli=page.cli_line("session", *which),
        python=page.python_line("session", *which),
        status=refused.status if refused else 200,
        session=session,
        committable=[it for it in experiments if it["state"] == "completed" and it["standing"] == "uncommitted"],
        unfinished=unfinished,
        refused=refused,
        live=bool(unfinished),
    )


def commit_session(page: Page) -> Response:
    message, chosen = page.field("message"), [str(it) for it in page.form.getlist("experiment")]
    try:
        if not chosen:  # to the backend, no names would mean all
            raise InvalidInputError("Tick the experiments to commit, at least one.")
        receipt = page.send("session", "commit", body={"experiments": chosen, "message": message})
    except ClientError as refused:
        return show_session(page, refused)
    return page.go("/session", session=receipt["session"])


def discard_session(page: Page) -> Response:
    try:
        page.send("session", "discard")
    except ClientError as refused:
        return show_session(page, refused)
    return page.go("/session")
