"""How far the read models are behind the log."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.http.backend import Backend


@dataclass(frozen=True, slots=True)
class Lag:
    """The log's last position, and what is not folded in: how many events, and the age in seconds of the oldest."""

    head: int
    events: int
    seconds: float

    @classmethod
    def of(cls, backend: Backend) -> Lag:
        """Measure it."""
        folded, head = backend.documents.position(), backend.feed.head()[0]
        if folded >= head:
            return cls(head, 0, 0.0)
        waiting = backend.feed.raw_after(folded, 1)  # as stored: what cannot be read is behind, too
        seconds = (backend.clock.now() - waiting[0].at).total_seconds() if waiting else 0.0
        return cls(head, head - folded, max(seconds, 0.0))
