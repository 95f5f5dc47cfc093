"""The comparison of log and topics that comes before the first command of a process; once made, it counts for ever."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event as Signal
from typing import Final

from adapters.host.background import BackgroundThread
from adapters.host.retry import Retry
from domain.errors import AutoLearnError, NotAbleError

logger = logging.getLogger(__name__)

RETRY: Final = Retry(shortest=0.5, longest=5.0)
REFUSED: Final = (
    "No command is accepted before the log was compared with its topics once: if this database is an older back-up, an"
    " append would be in conflict with what was acknowledged before."
)


class TopicComparison(BackgroundThread):
    """Makes the comparison `check` again and again until it finds nothing wrong; `fault` says why it is not made."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__(self._run, "topic comparison")
        self._check = check
        self.fault: str | None = f"{REFUSED} It was not tried yet."

    def make(self) -> None:
        """Make it now; raises what `check` raises, and then it is still to be made."""
        try:
            self._check()
        except AutoLearnError as trouble:
            self.fault = f"{REFUSED} {trouble.sentence}"
            raise
        self.fault = None

    def require(self) -> None:
        """Raise NotAbleError before it was made."""
        if self.fault is not None:
            raise NotAbleError(self.fault)

    def start(self) -> None:
        """Make it in the background, if it was not made."""
        if self.fault is not None:
            super().start()

    def _run(self, stopping: Signal) -> None:
        failures, said = 0, None
        while not stopping.is_set():
            try:
                self.make()
            except AutoLearnError as trouble:
                failures += 1
                if trouble.sentence != said:  # what lasts is said once
                    logger.warning("no command is accepted yet: %s", trouble.sentence)
                said = trouble.sentence
                stopping.wait(RETRY.pause(failures))
            else:
                logger.info("the log was compared with its topics: commands are accepted")
                return
