"""Hot standby: of several processes that could do a work, the one that has its lease does it; the others wait ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from adapters.distributed.membership.leases import Leases
from domain.errors import AutoLearnError, NotAbleError

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = (
    1.2  # a successor begins so long after a kill at the latest; the work itself must bear two at once
)
PAUSE_SECONDS: Final = 0.5  # after a work that failed, so that what lasts is not tried a thousand times

Turn = Callable[[Event, Callable[[], None]], None]
"""The work: returns soon after the event is set, calls the second again and again as long as it goes well, or raises an
AutoLearnError for what it cannot go on with."""


class Standby:
    """Waits for the lease of a work and does it as long as the lease is kept. `fault`: why it stands still, if so."""

    def __init__(self, leases: Leases, name: str, holder: str, turn: Turn) -> None:
        self._leases, self._name, self._holder, self._turn = leases, name, holder, turn
        self._ending = Event()
        self.in_charge = False
        self.fault: str | None = None

    def run(self, stopping: Event) -> None:
        """Serve until told to stop."""
        while not stopping.is_set():
            taken = self._take()
            if taken:
                self._serve(stopping)
                continue
            if taken is False:  # what hinders the work is now for another to tell
                self._goes_well()
            stopping.wait(self._leases.seconds / 8)
        self._give_back()

    def _serve(self, stopping: Event) -> None:
        self._ending, self.in_charge = Event(), True
        work = Thread(target=self._guarded, name=self._name, daemon=True)
        work.start()
        kept = time.monotonic()
        while work.is_alive() and not stopping.is_set():
            work.join(self._leases.seconds / 4)
            renewed = self._take()
            if renewed:
                kept = time.monotonic()
            elif renewed is False or time.monotonic() - kept > self._leases.seconds:
                break
        self._ending.set()
        work.join()
        self.in_charge = False
        self._give_back()
        if self.fault is not None:
            stopping.wait(PAUSE_SECONDS)

    def _guarded(self) -> None:
        try:
            self._turn(self._ending, self._goes_well)
            self._goes_well()
        except AutoLearnError as trouble:
            self._note(trouble.sentence)
        except Exception as error:
            log.exception("%s", self._name)
            self._note(f"{type(error).__name__}: {error}")

    def _goes_well(self) -> None:
        if self.fault is not None:
            log.info("%s: goes on", self._name)
        self.fault = None

    def _note(self, fault: str) -> None:
        if fault != self.fault:  # what lasts is said once
            log.warning("%s: %s", self._name, fault)
        self.fault = fault

    def _take(self) -> bool | None:
        """Take or renew the lease; None where MongoDB does not answer: then what was had is kept until it runs out."""
        try:
            return self._leases.take(self._name, self._holder)
        except NotAbleError:
            return None

    def _give_back(self) -> None:
        try:
            self._leases.release(self._name, self._holder)
        except NotAbleError:
            log.info("%s: the lease runs out by itself", self._name)
