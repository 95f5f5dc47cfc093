"""Session: the caller's uncommitted work: evaluate, commit with a message, discard; and the earlier sessions."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from autolearn.tasks import UNFINISHED, call_task
from console.page import Page


def show_session(page: Page, refused: ClientError | None = None) -> Response:
    """Show the open session or a named one; after a refused command with its sentence, and the form as it was typed."""
    page.path = "/session"
    session = page.ask("session", session=page.given("session"))
    is_open = session["state"] == "open"
    experiments = session["experiments"]
    unfinished = [it for it in experiments if it["state"] in UNFINISHED]
    searches = [
        it
        for it in (page.ask("searches")["searches"] if is_open else ())
        if it["session"] == session["session"] and it["state"] in UNFINISHED
    ]
    return page.show(
        "session.html",
        title="Session",
        cli=page.cli_line("session", *filter(None, [page.given("session")])),
        python=page.python_line("session", *filter(None, [page.given("session")])),
        status=refused.status if refused else 200,
        session=session,
        may_change=is_open and page.as_of is None,
        committable=[it for it in experiments if it["state"] == "completed" and it["standing"] == "uncommitted"],
        ticked=page.form.getlist("experiment") if refused else None,
        unfinished=unfinished,
        searches=searches,
        evaluations=session["unfinished"] - len(unfinished) - len(searches),
        sessions=page.ask("session", list=1)["sessions"],
        refused=refused,
        live=bool(session["unfinished"]),
    )


def change_session(page: Page) -> Response:
    """Do what the form asks for; what is refused shows in place."""
    try:
        do = ACTIONS.get(page.field("action") or "")
        if do is None:
            raise InvalidInputError(f"A form of this page sends an action: one of {', '.join(ACTIONS)}.")
        session = do(page)
    except ClientError as refused:
        return show_session(page, refused)
    return page.go("/session", session=session)


def _commit(page: Page) -> str:
    chosen = [str(it) for it in page.form.getlist("experiment")]
    if not chosen:  # to the backend, no names would mean all
        raise InvalidInputError("Tick the experiments to commit, at least one.")
    body = {"experiments": chosen, "message": page.field("message")}
    return str(page.send("session", "commit", body=body)["session"])


def _discard(page: Page) -> None:
    page.send("session", "discard")


def _evaluate(page: Page) -> None:
    """Evaluate the ticked experiments, by the usual measures."""
    chosen = [str(it) for it in page.form.getlist("experiment")]
    if not chosen:
        raise InvalidInputError("Tick the experiments to evaluate, at least one.")
    for name in chosen:
        page.client.post("evaluations", body={"experiment": name}, background=True)


def _cancel(page: Page) -> None:
    call_task(page.field("task") or "", page.client.delete)


ACTIONS: dict[str, Callable[[Page], str | None]] = {
    "commit": _commit,
    "discard": _discard,
    "evaluate": _evaluate,
    "cancel": _cancel,
}
