"""Server-sent events (WHATWG HTML, 9.2), each sealed with its number: none can be left out, repeated or moved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from autolearn.answers import unproven
from autolearn.errors import BrokenSealError, NoAnswerError, ProblemError, refusal
from autolearn.outgoing_call import OutgoingCall
from autolearn.progress import Tell

LAST = ("result", "problem")  # a stream ends with one of them, or was cut


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event: its name and its JSON value."""

    name: str
    data: Any


def read_events(call: OutgoingCall, stream_seal: str, lines: Iterable[bytes]) -> Iterator[StreamEvent]:
    """Yield the events of a stream in order; `stream_seal` is its answer's AutoLearn-Seal.

    Raises UnprovenAnswerError for one that is not the next of this stream, and for a stream that is cut.
    """
    for number, (name, data) in enumerate(_blocks(lines), start=1):
        try:
            yield StreamEvent(name, json.loads(call.unseal_event(number, name, stream_seal, data.encode())))
        except BrokenSealError as wrong:
            raise unproven(call, f"StreamEvent {number} of the stream is not the backend's. {wrong}") from None
        if name in LAST:
            return
    raise unproven(call, "The stream broke off before its end.")


def check_problem(event: StreamEvent) -> None:
    """Raise ProblemError for the event by which a stream is refused on its way."""
    if event.name == "problem":
        raise refusal(int(event.data.get("status", ProblemError.status)), event.data)


def result_of_stream(events: Iterable[StreamEvent], tell: Tell) -> Any:
    """Return the data of the event `result`; `tell` gets what is being done, and how much of it (0..1) is done.

    Raises ProblemError, NoAnswerError for a stream that ends without a result.
    """
    for event in events:
        if event.name == "result":
            return event.data
        check_problem(event)
        if isinstance(event.data, dict):
            tell(str(event.data.get("what") or ""), event.data.get("progress"))
    raise NoAnswerError("The backend ended before it had a result: look at its log.")


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
