"""How long a log is, for threads that wait for more of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition

POLL_SECONDS = 0.02


class Growth:
    """The last position that this process wrote; waiting threads and listeners are told when it grows."""

    def __init__(self) -> None:
        self.position = 0
        self._grown = Condition()
        self._listeners: list[Callable[[], None]] = []

    def reach(self, position: int) -> None:
        """Say that everything up to a position is durable."""
        with self._grown:
            self.position = max(self.position, position)
            self._grown.notify_all()
            for listener in self._listeners:
                listener()

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        with self._grown:
            return self._grown.wait_for(lambda: self.position > position, timeout)

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener, which must not block, at each growth."""
        with self._grown:
            self._listeners.append(listener)

    def tell_no_more(self, listener: Callable[[], None]) -> None:
        """Forget a listener."""
        with self._grown:
            self._listeners = [known for known in self._listeners if known != listener]


def poll_beyond(length: Callable[[], int], position: int, timeout: float) -> bool:
    """Wait until a log that another process writes is longer than `position`; False after `timeout` seconds."""
    end = time.monotonic() + timeout
    while length() <= position:
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(POLL_SECONDS, left))
    return True
