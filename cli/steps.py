"""Follows a verification, replay or rebuild: progress to the terminal, the result to the caller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autolearn.events import StreamEvent, result_of_stream
from cli.terminal import Terminal


def result_of(terminal: Terminal, what: str, events: Iterable[StreamEvent]) -> Any:
    """Return the data of the event `result`; raises ProblemError, NoAnswerError for a stream that ends without one."""
    with terminal.working(what) as spinner:

        def tell(activity: str, fraction: float | None) -> None:
            if spinner:
                spinner.update(activity or what, fraction)

        return result_of_stream(events, tell)


def offline(steps: Iterable[dict[str, Any]]) -> Iterable[StreamEvent]:
    """Give the steps of an inspection without a backend the shape of a stream."""
    for step in steps:
        yield StreamEvent("result", step["result"]) if "result" in step else StreamEvent("progress", step)
