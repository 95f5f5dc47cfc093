"""The request to stop, by a signal or by a thread that found why; whoever serves looks at it again and again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class ShutdownRequest:
    """Once made, it stays made. The handler raises nothing: amid an import, that would leave the import lock taken."""

    def __init__(self) -> None:
        self.is_made = False

    def make(self, *_: object) -> None:
        """Ask to stop; also as a signal handler."""
        self.is_made = True

    @contextmanager
    def made_by_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT make it; for the main thread."""
        before = {sig: signal.signal(sig, self.make) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)
