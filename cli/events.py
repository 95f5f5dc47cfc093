"""Server-sent events (WHATWG HTML, 9.2), each sealed for its number: none can be left out, repeated or moved unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.security.calls import OutgoingCall
from domain.errors import NotAbleError, NotJsonError


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name and its opened JSON value."""

    name: str
    data: Any


def opened_events(call: OutgoingCall, lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of a stream in order; raises NotAbleError for one that is not the next of this very call."""
    for number, (name, data) in enumerate(_blocks(lines), start=1):
        try:
            yield Event(name, json.loads(call.opened_event(number, data.encode())))
        except NotJsonError as wrong:
            raise NotAbleError(f"Event {number} of the stream is not the backend's. {wrong.sentence}") from None


def _blocks(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    name, data = "message", list[str]()
    for line in lines:
        text = line.decode().rstrip("\r\n")
        key, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if not text and data:
            yield name, "\n".join(data)
            name, data = "message", []
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)
