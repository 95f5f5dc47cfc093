"""Follows a verification, replay or rebuild: progress to the terminal, the result to the caller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autolearn.errors import NoAnswerError
from autolearn.events import StreamEvent, check_problem
from cli.terminal import Terminal


def result_of(terminal: Terminal, what: str, events: Iterable[StreamEvent]) -> Any:
    """Return the data of the event `result`; raises ProblemError, NoAnswerError for a stream that ends without one."""
    with terminal.working(what) as spinner:
        for event in events:
            if event.name == "result":
                return event.data
            check_problem(event)
            if spinner and isinstance(event.data, dict):
                spinner.update(str(event.data.get("what") or what), event.data.get("progress"))
    raise NoAnswerError("The backend ended before it had a result: look at its log.")


def offline(steps: Iterable[dict[str, Any]]) -> Iterable[StreamEvent]:
    """Give the steps of an inspection without a backend the shape of a stream."""
    for step in steps:
        yield StreamEvent("result", step["result"]) if "result" in step else StreamEvent("progress", step)
