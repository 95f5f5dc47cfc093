"""A start that waits for what it needs: a MongoDB or a Kafka that is away is waited for, as it is later on.

NotAbleError means that waiting may mend it. Any other error ends the start: wrong settings, another master key, a
database that is an older back-up, an end that is lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from adapters.host.retry import Retry
from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import Listener
from adapters.http.routes.starting import Starting
from domain.errors import NotAbleError
from server.compose.http import answering_health

if TYPE_CHECKING:
    from server.runner import Runner
    from server.settings import Settings

logger = logging.getLogger(__name__)

RETRY: Final = Retry(shortest=0.25, longest=5.0)
REMIND_SECONDS: Final = 60.0  # until the same reason is logged again


class WaitingStart:
    """Starts a process of a `kind`, its roles in words, as soon as it has what it needs.

    `listener`: where it answers for its health meanwhile; None where another process answers there.
    `report` is told what it waits for, each time that it is something else.
    """

    def __init__(
        self,
        settings: Settings,
        kind: str,
        listener: Listener | None,
        report: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._settings, self._listener, self._report = settings, listener, report
        self._starting = Starting(kind)
        self._said, self._said_at = "", 0.0

    def run(self, open_runner: Callable[[], Runner], shutdown: ShutdownRequest, *, is_first: bool) -> Runner | None:
        """Return the runner, started; None where it was told to stop before. Raises domain.errors, never NotAbleError.

        A signal makes the request; the attempt that is under way then ends first, which takes some seconds at most.
        """
        shutdown.follow_signals()
        failures = 0
        with ExitStack() as answering:
            if self._listener is not None:
                answering.enter_context(answering_health(self._settings, self._starting, self._listener))
            while not shutdown.is_made:
                try:
                    runner = open_runner()
                    runner.start(is_first=is_first)
                except NotAbleError as outage:
                    failures += 1
                    self._say(outage.sentence)
                    shutdown.wait(RETRY.pause(failures))
                else:
                    return runner
        return None

    def _say(self, sentence: str) -> None:
        """Tell whoever asks, and the log: at once where it is something else, then once a minute."""
        self._starting.waits_for = sentence
        if sentence == self._said and time.monotonic() < self._said_at + REMIND_SECONDS:
            return
        if sentence != self._said:
            self._report(sentence)
        self._said, self._said_at = sentence, time.monotonic()
        where = "" if self._listener is None else f" ({self._listener.url}/health/ready tells it, too)"
        logger.warning("%s waits: %s%s", self._starting.kind, sentence, where)
