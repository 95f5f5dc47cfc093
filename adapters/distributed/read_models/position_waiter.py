"""Waiting until a position is visible: whoever waits first asks MongoDB for all who wait in this process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from time import monotonic
from typing import Final

EAGER_SECONDS: Final = 0.003  # between two questions, as long as it may be a matter of milliseconds
EAGER_FOR_SECONDS: Final = 0.3
PATIENT_SECONDS: Final = 0.02


class Arrivals:
    """`progress` tells the position reached. Nothing is asked while nobody waits."""

    def __init__(self, progress: Callable[[], int]) -> None:
        self._progress = progress
        self._known = 0
        self._is_asked = False
        self._turn = Condition()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until a position is reached; False after `timeout` seconds. Raises what `progress` raises."""
        begin = monotonic()
        self._learn()
        while self._known < position:
            left = begin + timeout - monotonic()
            if left <= 0:
                return False
            self._ask_or_listen(begin, left)
        return True

    def _ask_or_listen(self, begin: float, left: float) -> None:
        """Ask once for all, or be told by the one who asks; who asks no more wakes the next one up."""
        with self._turn:
            if self._is_asked:
                self._turn.wait(min(left, PATIENT_SECONDS))
                return
            self._is_asked = True
            eager = monotonic() - begin < EAGER_FOR_SECONDS
            self._turn.wait(min(left, EAGER_SECONDS if eager else PATIENT_SECONDS))
        try:
            self._learn()
        finally:
            with self._turn:
                self._is_asked = False
                self._turn.notify_all()

    def _learn(self) -> None:
        self._known = self._progress()
