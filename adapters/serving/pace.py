"""Whether bytes move on: so many of them in so many seconds."""

from __future__ import annotations

from adapters.serving.limits import ConnectionLimits


class Pace:
    """Follows a count that grows while the other side does its part."""

    __slots__ = ("_bytes", "_count", "_seconds", "_since")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._bytes, self._seconds = limits.pace_bytes, limits.pace_seconds
        self._since, self._count = 0.0, 0

    def begin(self, now: float, count: int) -> None:
        """Ask nothing of what was before."""
        self._since, self._count = now, count

    def is_lost(self, now: float, count: int) -> bool:
        """Tell whether the count stood still, or crept; where it fell there is more to do, and more time."""
        if not 0 <= count - self._count < self._bytes:
            self.begin(now, count)
        return now - self._since > self._seconds
