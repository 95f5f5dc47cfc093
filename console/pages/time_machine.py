"""Time machine: step through the log commit by commit; compute a state from the log alone; verify; rebuild."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from autolearn.errors import ClientError, NoAnswerError
from autolearn.events import check_problem
from console.page import Page

MOST_OF_A_COMMIT = 100
NEWEST = 5


def show_time_machine(page: Page, done: dict[str, Any] | None = None, refused: ClientError | None = None) -> Response:
    """Show the commit at the position; `done` is what a verification or rebuild found."""
    page.path = "/time-machine"
    bar = page.bar
    position = bar.position if bar else 0
    recent = page.ask_now("events", before=position + 1, order="newest", limit=MOST_OF_A_COMMIT)["events"]
    changes = [it for it in reversed(recent) if it["commit"] == position]
    later = page.ask_now("events", after=position, limit=1)["events"]
    return page.show(
        "time_machine.html",
        title="Time machine",
        cli=page.cli_line("replay") if page.as_of else f"autolearn replay --as-of @{position}",
        python=page.python_line("replay") if page.as_of else f"backend.replay(as_of='@{position}')",
        status=refused.status if refused else 200,
        position=position,
        end=bar.end if bar else 0,
        changes=[_with_changes(page, it) for it in changes],
        is_cut=len(changes) == MOST_OF_A_COMMIT,
        previous=f"@{_before(recent, position)}" if position else None,
        next=f"@{later[0]['commit']}" if later else None,
        session=page.ask("session"),
        history=page.ask("experiments", limit=NEWEST)["experiments"],
        replayed=_result(page, "GET", "replay", as_of=f"@{position}") if page.given("replay") else None,
        plays=bool(page.given("play")),
        done=done,
        refused=refused,
    )


def verify_everything(page: Page) -> Response:
    return _inspect(page, "verifications", {"anchor": None})


def rebuild_everything(page: Page) -> Response:
    return _inspect(page, "rebuilds", {"projection": None})


def _inspect(page: Page, what: str, body: dict[str, Any]) -> Response:
    try:
        return show_time_machine(page, done=_result(page, "POST", what, body=body) | {"what": what})
    except ClientError as refused:
        return show_time_machine(page, refused=refused)


def _result(page: Page, method: str, path: str, **given: Any) -> dict[str, Any]:
    """Return the last event of a stream, which is its result; raises ClientError."""
    for event in page.client.stream(method, path, **given):
        check_problem(event)
        if event.name == "result":
            return dict(event.data)
    raise NoAnswerError("The backend told no result.")


def _before(recent: list[dict[str, Any]], position: int) -> int:
    """Return the commit before the one at a position, of the newest events up to there.

    Where all of them are of this commit, it is a position within: the backend then answers as of the commit before.
    """
    earlier = [it["commit"] for it in recent if it["commit"] != position]
    if earlier or not recent:
        return earlier[0] if earlier else 0
    return int(recent[-1]["position"]) - 1


def _with_changes(page: Page, event: dict[str, Any]) -> dict[str, Any]:
    """Add to an event what it changed, which only the question about its stream tells."""
    found = page.ask_now("events", stream=event["stream"], after=event["position"] - 1, limit=1)["events"]
    return event | {"changed": (found[0]["changed"] if found else None) or {}}
