"""Which calls run and are not recorded yet."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class InFlightCalls:
    """Correlations of calls that are authenticated and not recorded yet: `verify` must not call them unanswered."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._lock = Lock()

    def enter(self, correlation: str) -> None:
        """Note a call; two with one request id are two."""
        with self._lock:
            self._calls[correlation] += 1

    def leave(self, correlation: str) -> None:
        with self._lock:
            self._calls[correlation] -= 1
            self._calls = +self._calls

    def correlations(self) -> list[str]:
        with self._lock:
            return list(self._calls)
