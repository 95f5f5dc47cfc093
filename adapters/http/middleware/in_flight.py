"""Which calls of this process are admitted and not archived yet."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class InFlight:
    """Correlations of calls that are admitted and not archived yet: `verify` must not call them unanswered."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._lock = Lock()

    def enter(self, correlation: str) -> None:
        """Note a call; two with one request id are two."""
        with self._lock:
            self._calls[correlation] += 1

    def leave(self, correlation: str) -> None:
        """Note its end."""
        with self._lock:
            self._calls[correlation] -= 1
            self._calls = +self._calls

    def correlations(self) -> list[str]:
        """List them."""
        with self._lock:
            return list(self._calls)
