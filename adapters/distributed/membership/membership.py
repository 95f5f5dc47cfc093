"""Which processes live, and what they are at: each renews its lease and its list of calls in flight by heart-beats."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from typing import Final, NamedTuple

from adapters.distributed.membership.documents import Presences
from adapters.distributed.mongo import Fields, Mongo
from domain.errors import NotAbleError

log = logging.getLogger(__name__)

SECONDS: Final = 10.0
BEATS: Final = 8  # in the length of a lease
LOOK_SECONDS: Final = 0.02


class Process(NamedTuple):
    """A living process: its kind, and since when (UTC) it is there."""

    kind: str
    since: datetime


class Presence:
    """One process, this one, among the others, known by `worker`; its lease lasts `seconds`.

    `in_flight` returns the correlations of the calls that are not archived yet. Only `start` makes the process known:
    without it one can ask for the others all the same.
    """

    def __init__(
        self,
        mongo: Mongo,
        worker: str,
        seconds: float = SECONDS,
        in_flight: Callable[[], list[str]] = list,
        kind: str = "",
    ) -> None:
        self._others, self._worker, self._seconds = Presences(mongo, seconds), worker, seconds
        self._in_flight, self._kind = in_flight, kind or worker.rpartition("-")[0]
        self._stop = Event()
        self._thread: Thread | None = None
        self._until = float("inf")  # when the own lease runs out, on this process' clock
        self._doubtful = float("-inf")  # until when others may have been kept from renewing, as this process was
        self._silent = False

    def start(self) -> None:
        """Make the process known and keep it so; raises NotAbleError where MongoDB does not answer."""
        self._stop.clear()
        self._others.enter(self._worker, self._kind)
        self._beat()
        self._thread = Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End: the process is gone at once, and its tasks are free."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            try:
                self._others.leave(self._worker)
            except NotAbleError:
                log.info("the lease of %s runs out by itself", self._worker)

    def is_alive(self, worker: str) -> bool:
        """Whether a process lives. Whoever could not renew its own lease lately holds no other for dead."""
        if time.monotonic() < self._doubtful or time.monotonic() >= self._until:
            return True
        return self._others.is_there(worker)

    def alive(self) -> dict[str, Process]:
        """Return all living processes by name."""
        return {found["_id"]: Process(found["kind"], found["since"]) for found in self._others.there()}

    def in_flight_elsewhere(self, timeout: float) -> list[str]:
        """Return what the other processes have in flight, gathered after this call began by all that live on.

        After `timeout` seconds: what they last said.
        """
        end = time.monotonic() + timeout
        # The beat after the next one: the next may be on its way already, with a list from before.
        due = {(found["_id"], found["since"]): found["beat"] + 2 for found in self._elsewhere()}
        while True:
            found = self._elsewhere()
            late = [one for one in found if one["beat"] < due.get((one["_id"], one["since"]), 0)]
            if not late or time.monotonic() >= end:
                return sorted({correlation for one in found for correlation in one["in_flight"]})
            time.sleep(LOOK_SECONDS)

    def _elsewhere(self) -> list[Fields]:
        return [found for found in self._others.there() if found["_id"] != self._worker]

    def _run(self) -> None:
        while not self._stop.wait(self._seconds / BEATS):
            try:
                self._beat()
                self._silent = False
            except Exception as trouble:  # noqa: BLE001 - whatever it is: a process that seems dead loses its tasks
                self._doubtful = time.monotonic() + self._seconds
                if not self._silent:
                    log.warning("the lease of %s cannot be renewed, trying on: %s", self._worker, trouble)
                self._silent = True

    def _beat(self) -> None:
        sent = time.monotonic()
        if self._others.renew(self._worker, self._kind, self._in_flight()):
            self._doubtful = time.monotonic() + self._seconds
            log.warning("the lease of %s had run out: others may have taken its tasks over", self._worker)
        self._until = sent + self._seconds
