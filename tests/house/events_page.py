"""The page docs/events.md as the code has it; `make events` writes it anew."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from pydantic import BaseModel

import domain.client
import domain.dataset
import domain.experiment_events
import domain.loss
import domain.offer
import domain.prediction
import domain.search_events
import domain.session_events  # noqa: F401 - an import registers a module's events
from domain.events import EVENTS, Event, Metadata, Value

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
ENVELOPE = {"originator_id", "originator_version", "metadata"}
STREAMS = {
    "session:<client>:<n>": ("session-", "experiment-added", "search-added"),
    "experiment:<id>": ("training-", "evaluation-", "reproduction-", "experiment-"),
    "search:<id>": ("search-", "proposal-", "trial-", "trials-"),
    "dataset:<name>": ("dataset-",),
    "model:<name>": ("model-",),
    "measure:<name>": ("measure-",),
    "prediction:<id>": ("prediction-",),
    "client:<id>": ("client-",),
    "installation:losses": ("tail-loss-",),
}
INTRODUCTION = """# Events

Written from the code by `make events`; a test compares. Names are pinned (`name.vN`) and never
name a Python path. Every event also carries its stream, its version in the stream, and `metadata`: actor (client),
correlation (the client's call) and causation (the command or event that led to it). Position, time and chain hash
belong to the commit: [decision 4](decisions/04-commit-has-the-time.md).
"""


def stream_of(name: str) -> str:
    """Return the stream that an event of this name belongs to: the one with the longest matching beginning."""
    matching = {start: stream for stream, starts in STREAMS.items() for start in starts if name.startswith(start)}
    return matching[max(matching, key=len)]


def first_line(documented: object) -> str:
    """Return the sentence that the code says about it."""
    return (inspect.getdoc(documented) or "").splitlines()[0]


def facts(model: type[BaseModel]) -> str:
    """Return the facts of an event or value object with their types."""
    fields = {name: field for name, field in model.model_fields.items() if name not in ENVELOPE}
    shown = {name: re.sub(r"\b(\w+\.)+", "", inspect.formatannotation(f.annotation)) for name, f in fields.items()}
    return ", ".join(f"`{name}: {kind}`" for name, kind in shown.items()).replace("|", "\\|")


def value_objects() -> list[type[Value]]:
    """Return the value objects that facts name, in the order of their names."""
    ours = [kind for kind in Value.__subclasses__() if kind.__module__.startswith("domain.") and kind is not Metadata]
    return sorted(ours, key=lambda kind: kind.__name__)


def page() -> str:
    """Return the whole page."""
    text = INTRODUCTION
    for stream in STREAMS:
        rows = [event for name, event in EVENTS.items() if is_ours(event) and stream_of(name) == stream]
        text += f"\n## `{stream}`\n\n| event | when | facts |\n| --- | --- | --- |\n"
        text += "".join(f"| `{event.NAME}` | {first_line(event)} | {facts(event)} |\n" for event in rows)
    text += "\n## Value objects\n\n| name | what | facts |\n| --- | --- | --- |\n"
    return text + "".join(f"| `{v.__name__}` | {first_line(v)} | {facts(v)} |\n" for v in value_objects())


def is_ours(event: type[Event]) -> bool:
    """Tell the application's events from those that a test may have registered."""
    return event.__module__.startswith("domain.")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
