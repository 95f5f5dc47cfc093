"""The request to stop, by a signal or by a thread that found why; whoever serves looks at it again and again."""

from __future__ import annotations

import signal
import time
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS: Final = 0.1


class ShutdownRequest:
    """Once made, it stays made. The handler raises nothing: amid an import, that would leave the import lock taken."""

    def __init__(self) -> None:
        self.is_made = False

    def make(self, *_: object) -> None:
        """Ask to stop; also as a signal handler."""
        self.is_made = True

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or soon after it was made."""
        end = time.monotonic() + seconds
        while not self.is_made and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))

    def follow_signals(self) -> None:
        """Let SIGTERM and SIGINT make it from now on; for the main thread."""
        for sig in SIGNALS:
            signal.signal(sig, self.make)


def ignore_signals() -> None:
    """Let SIGTERM and SIGINT change nothing until the process has ended; those that are blocked and pending are gone.

    It ends already. Python resets a handler of its own before the last of its exit, but not this.
    """
    for sig in SIGNALS:
        signal.signal(sig, signal.SIG_IGN)
