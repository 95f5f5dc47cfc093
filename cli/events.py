"""Server-sent events (WHATWG HTML, 9.2), each sealed for its number: none can be left out, repeated or moved unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.security.calls import OutgoingCall
from cli.beliefs import with_doubt
from cli.problems import ProblemError
from domain.errors import NotAbleError, NotJsonError

NO_STATUS = 503
LAST = ("result", "problem")  # a stream ends with one of them, or was cut


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name and its opened JSON value."""

    name: str
    data: Any


def opened_events(call: OutgoingCall, seal: str, lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of a stream in order; `seal` is that of its status and headers.

    Raises NotAbleError for one that is not the next of this very stream, and for a stream that ends before its end.
    """
    for number, (name, data) in enumerate(_blocks(lines), start=1):
        try:
            yield Event(name, json.loads(call.opened_event(number, name, seal, data.encode())))
        except NotJsonError as wrong:
            told = f"Event {number} of the stream is not the backend's. {wrong.sentence}"
            raise NotAbleError(with_doubt(call, told)) from None
        if name in LAST:
            return
    raise NotAbleError(with_doubt(call, "The stream broke off before its end."))


def check_problem(event: Event) -> None:
    """Raise ProblemError for the event by which a stream is refused on its way."""
    if event.name == "problem":
        raise ProblemError(int(event.data.get("status", NO_STATUS)), event.data)


def _blocks(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    name, data = "message", list[str]()
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        key, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if not text and data:
            yield name, "\n".join(data)
            name, data = "message", []
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)
