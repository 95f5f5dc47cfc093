"""Time line: what happened to one stream, grouped by the call that it came from."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from starlette.responses import Response

from console.page import Page

ROWS = 200
STREAMS: Final = {
    "experiment": "/experiments/{}",
    "session": "/session?session={}",
    "search": "/searches/{}",
    "dataset": "/datasets/{}",
}


def show_timeline(page: Page) -> Response:
    stream = page.part("stream")
    after = page.given("after")
    body = page.ask("events", stream=stream, after=after, limit=ROWS)
    events: list[dict[str, Any]] = body["events"]
    groups = [(call, list(found)) for call, found in groupby(events, key=lambda it: str(it["correlation"]))]
    return page.show(
        "timeline.html",
        title=f"Time line of {body['stream']}",
        cli=page.cli_line("events", stream, after=after),
        python=page.python_line("events", stream, after=after),
        stream=body["stream"],
        subject=_subject(body["stream"]),
        groups=groups,
        is_full=page.given("view") == "full",
        next=events[-1]["position"] if len(events) == ROWS else None,
    )


def _subject(stream: str) -> str | None:
    """Return the path of the page about what the stream is of."""
    kind, _, name = stream.partition(":")
    if kind == "session":
        name = "-".join(name.rsplit(":", 1))
    return STREAMS[kind].format(name) if kind in STREAMS else None
