"""How large an append may be: the same limits in both modes, refused before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.errors import BadInputError, TooLargeError
from projections.ports import RawEvent

MAX_EVENTS: Final = 1000
MAX_EVENT_BYTES: Final = 256 * 1024
MAX_APPEND_BYTES: Final = 8 * 1024 * 1024


def check_size(events: Sequence[RawEvent]) -> None:
    """Raise BadInputError for no events, TooLargeError above a limit."""
    if not events:
        raise BadInputError("An append has at least one event.")
    if len(events) > MAX_EVENTS:
        raise TooLargeError(f"An append has at most {MAX_EVENTS:,} events; this one has {len(events):,}.")
    sizes = [len(event.state) for event in events]
    if max(sizes) > MAX_EVENT_BYTES:
        name = events[sizes.index(max(sizes))].name
        raise TooLargeError(f"An event has at most {MAX_EVENT_BYTES:,} bytes; this {name} has {max(sizes):,}.")
    if sum(sizes) > MAX_APPEND_BYTES:
        raise TooLargeError(f"An append has at most {MAX_APPEND_BYTES:,} bytes; this one has {sum(sizes):,}.")
