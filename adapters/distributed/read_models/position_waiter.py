"""Waiting until a position is visible: the first who waits asks MongoDB for all who wait in this process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from time import monotonic
from typing import Final

EAGER_SECONDS: Final = 0.003  # between two questions, as long as it may be a matter of milliseconds
EAGER_FOR_SECONDS: Final = 0.3
PATIENT_SECONDS: Final = 0.02


class PositionWaiter:
    """`read_position` asks how far the read models are; it is not called while nobody waits."""

    def __init__(self, read_position: Callable[[], int]) -> None:
        self._read_position = read_position
        self._known = 0
        self._is_asked = False
        self._changed = Condition()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until a position is reached; False after `timeout` seconds. Raises what `read_position` raises."""
        begin = monotonic()
        self._known = self._read_position()
        while self._known < position:
            left = begin + timeout - monotonic()
            if left <= 0:
                return False
            is_eager = monotonic() - begin < EAGER_FOR_SECONDS
            self._ask_or_listen(min(left, EAGER_SECONDS if is_eager else PATIENT_SECONDS), left)
        return True

    def _ask_or_listen(self, pause: float, left: float) -> None:
        """Ask after a pause, for all, or hear the answer from the one who asks; afterwards the next one asks."""
        with self._changed:
            if self._is_asked:
                self._changed.wait(min(left, PATIENT_SECONDS))
                return
            self._is_asked = True
            self._changed.wait(pause)
        try:
            self._known = self._read_position()
        finally:
            with self._changed:
                self._is_asked = False
                self._changed.notify_all()
