"""Hot standby: of several processes that could do a work, the one that has its lease does it; the others wait ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event as Signal
from threading import Thread
from typing import Final

from adapters.distributed.membership.leases import Leases
from domain.errors import AutoLearnError, NotAbleError

logger = logging.getLogger(__name__)

# A successor begins so long after a kill at the latest; the work itself must bear two at once.
LEASE_SECONDS: Final = 1.2
PAUSE_SECONDS: Final = 0.5  # after a work that failed, so that what lasts is not tried a thousand times

Turn = Callable[[Signal, Callable[[], None]], None]
"""One turn of a work (relaying a log, folding the read models), from the lease to its loss. It returns soon after the
event is set, calls the second again and again as long as it goes well, or raises an AutoLearnError for what it cannot
go on with."""


class Standby:
    """Waits for the lease of a work and does it as long as the lease is kept. `fault`: why it stands still, if so."""

    def __init__(self, leases: Leases, name: str, holder: str, turn: Turn) -> None:
        self._leases, self._name, self._holder, self._turn = leases, name, holder, turn
        self.in_charge = False
        self.fault: str | None = None

    def run(self, stopping: Signal) -> None:
        """Serve until told to stop."""
        while not stopping.is_set():
            has_lease = self._take_lease()
            if has_lease:
                self._serve(stopping)
                continue
            if has_lease is False:  # what hinders the work is now for another to tell
                self._clear_fault()
            stopping.wait(self._leases.seconds / 8)
        self._release()

    def _serve(self, stopping: Signal) -> None:
        ending, self.in_charge = Signal(), True
        work = Thread(target=self._work, args=(ending,), name=self._name, daemon=True)
        work.start()
        renewed = time.monotonic()
        while work.is_alive() and not stopping.is_set():
            work.join(self._leases.seconds / 3)
            has_lease = self._take_lease()
            if has_lease:
                renewed = time.monotonic()
            elif has_lease is False or time.monotonic() - renewed > self._leases.seconds:
                break
        ending.set()
        work.join()
        self.in_charge = False
        self._release()
        if self.fault is not None:
            stopping.wait(PAUSE_SECONDS)

    def _work(self, ending: Signal) -> None:
        try:
            self._turn(ending, self._clear_fault)
            self._clear_fault()
        except AutoLearnError as trouble:
            self._set_fault(trouble.sentence)
        except Exception as error:
            logger.exception("%s failed", self._name)
            self._set_fault(f"{type(error).__name__}: {error}")

    def _clear_fault(self) -> None:
        if self.fault is not None:
            logger.info("%s recovered", self._name)
        self.fault = None

    def _set_fault(self, fault: str) -> None:
        if fault != self.fault:  # what lasts is said once
            logger.warning("%s failed: %s", self._name, fault)
        self.fault = fault

    def _take_lease(self) -> bool | None:
        """Take or renew the lease; None where MongoDB does not answer: then what was had is kept until it runs out."""
        try:
            return self._leases.take(self._name, self._holder)
        except NotAbleError:
            return None

    def _release(self) -> None:
        try:
            self._leases.release(self._name, self._holder)
        except NotAbleError:
            logger.info("%s: the lease runs out by itself", self._name)
