"""Work that a process does in a thread of its own, from its start to its stop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Signal
from threading import Thread


class BackgroundThread:
    """Runs `work` once, in a thread. `work` gets the signal `stopping`, and returns soon after it is set."""

    def __init__(self, work: Callable[[Signal], None], name: str) -> None:
        self._work, self._name = work, name
        self.stopping = Signal()
        self._thread: Thread | None = None

    @property
    def is_started(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._thread is not None

    def start(self) -> None:
        self._thread = Thread(target=self._work, args=(self.stopping,), name=self._name, daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Ask it to end, and return at once."""
        self.stopping.set()

    def stop(self) -> None:
        """Return when it has ended; harmless where it was never started."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
