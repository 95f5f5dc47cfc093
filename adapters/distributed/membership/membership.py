"""Which processes live, and which calls they have in flight: each renews a lease by heartbeats."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event as Signal
from threading import Thread
from typing import Final, NamedTuple

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from adapters.distributed.database_clock import NEVER, NOW, RUNS, exactly, from_now
from adapters.distributed.mongo import Fields, Mongo, as_ours
from domain.errors import ConflictError, NotAbleError
from projections.fold import VERSION

logger = logging.getLogger(__name__)

LEASE_SECONDS: Final = 10.0
HEARTBEATS: Final = 8  # in the length of a lease
LOOK_SECONDS: Final = 0.02
KEPT_SECONDS: Final = 3600.0  # how long what a dead process left is kept for whoever looks into the database
HAD_RUN_OUT: Final = {"$and": [{"$gt": ["$until", NEVER]}, {"$lte": ["$until", NOW]}]}


class Process(NamedTuple):
    """A living process: its kind, and since when (UTC) it is there."""

    kind: str
    since: datetime


class Members:
    """The processes of an installation: {_id: worker, kind, projections, since, until, beat, in_flight}.

    Every method raises NotAbleError where MongoDB does not answer.
    """

    def __init__(self, mongo: Mongo, lease_seconds: float = LEASE_SECONDS) -> None:
        self._collection, self._lease_seconds = mongo.collection("presence"), lease_seconds

    def add(self, worker: str, kind: str) -> None:
        """Insert a process, whose lease begins with the first renewal; remove those of the long dead."""
        long_dead = {"$and": [{"$gt": ["$until", NEVER]}, {"$lt": ["$until", from_now(-KEPT_SECONDS)]}]}
        with as_ours():
            self._collection.delete_many({"$expr": long_dead})
            self._insert(worker, kind)

    def remove(self, worker: str) -> None:
        with as_ours():
            self._collection.delete_one({"_id": worker})

    def renew(self, worker: str, kind: str, in_flight: list[str]) -> bool:
        """Renew the lease and store what is in flight; returns whether the lease had run out."""
        with as_ours():
            found = self._renew(worker, in_flight)
            if found is not None:
                return bool(found["had_run_out"])
            self._insert(worker, kind)
            self._renew(worker, in_flight)
            return True

    def is_alive(self, worker: str) -> bool:
        with as_ours():
            return self._collection.find_one({"_id": worker, **RUNS}, {"_id": 1}) is not None

    def alive(self) -> list[Fields]:
        """Return the documents whose lease runs."""
        with as_ours():
            return list(self._collection.find(RUNS))

    def has_older(self, version: int) -> bool:
        """Whether a process with an older version of the projections lives, or lately did and did not leave."""
        older = {"projections": {"$not": {"$gte": version}}}
        lately = {"$expr": {"$or": [{"$eq": ["$until", NEVER]}, {"$gt": ["$until", from_now(-KEPT_SECONDS)]}]}}
        with as_ours():
            return self._collection.find_one(older | lately, {"_id": 1}) is not None

    def _insert(self, worker: str, kind: str) -> None:
        new = {"_id": worker, "kind": kind, "projections": VERSION, "since": NEVER, "until": NEVER, "beat": 0}
        with suppress(DuplicateKeyError):  # its own, from before it was started again
            self._collection.insert_one(new | {"in_flight": list[str]()})

    def _renew(self, worker: str, in_flight: list[str]) -> Fields | None:
        renewed = {
            "had_run_out": HAD_RUN_OUT,
            "since": {"$cond": [{"$eq": ["$since", NEVER]}, NOW, "$since"]},
            "until": from_now(self._lease_seconds),
            "beat": {"$add": ["$beat", 1]},
            "in_flight": exactly(in_flight),
        }
        return self._collection.find_one_and_update(
            {"_id": worker}, [{"$set": renewed}], {"had_run_out": 1}, return_document=ReturnDocument.AFTER
        )


class Membership:
    """A process, this one, among the others; `worker` is its name.

    `in_flight` returns the correlations of the calls that are not in the audit log yet. Only `start` makes the process
    known: without it one can ask for the others all the same.
    """

    def __init__(
        self,
        mongo: Mongo,
        worker: str,
        lease_seconds: float = LEASE_SECONDS,
        in_flight: Callable[[], list[str]] = list,
        kind: str = "",
    ) -> None:
        self._members, self._worker, self._lease_seconds = Members(mongo, lease_seconds), worker, lease_seconds
        self._in_flight, self._kind = in_flight, kind or worker.rpartition("-")[0]
        self._stopping = Signal()
        self._thread: Thread | None = None
        self._own_lease_end = float("inf")  # on this process' clock
        self._doubtful_until = float("-inf")  # others may have been kept from renewing, as this process was
        self._has_warned = False

    def start(self) -> None:
        """Join, and send heartbeats; raises NotAbleError where MongoDB does not answer."""
        self._stopping.clear()
        self._members.add(self._worker, self._kind)
        self._send_heartbeat()
        self._thread = Thread(target=self._run, name="membership", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave: the process is gone at once, and its tasks are free."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            try:
                self._members.remove(self._worker)
            except NotAbleError:
                logger.info("the lease of %s runs out by itself", self._worker)

    def is_alive(self, worker: str) -> bool:
        """Whether a process lives; a process that could not renew its own lease lately takes no other for dead."""
        if time.monotonic() < self._doubtful_until or time.monotonic() >= self._own_lease_end:
            return True
        return self._members.is_alive(worker)

    def alive(self) -> dict[str, Process]:
        """Return all living processes by name."""
        return {found["_id"]: Process(found["kind"], found["since"]) for found in self._members.alive()}

    def in_flight_elsewhere(self, timeout: float, ending: Signal | None = None) -> list[str]:
        """Return what the other processes have in flight, gathered after this call began by all that live on.

        After `timeout` seconds, or once `ending` is set: what they last said.
        """
        ending = ending or Signal()
        end = time.monotonic() + timeout
        # The heartbeat after the next one: the next may be on its way already, with a list from before.
        due = {(found["_id"], found["since"]): found["beat"] + 2 for found in self._others()}
        while True:
            found = self._others()
            late = [one for one in found if one["beat"] < due.get((one["_id"], one["since"]), 0)]
            if not late or ending.is_set() or time.monotonic() >= end:
                return sorted({correlation for one in found for correlation in one["in_flight"]})
            ending.wait(LOOK_SECONDS)

    def _others(self) -> list[Fields]:
        return [found for found in self._members.alive() if found["_id"] != self._worker]

    def _run(self) -> None:
        while not self._stopping.wait(self._lease_seconds / HEARTBEATS):
            try:
                self._send_heartbeat()
                self._has_warned = False
            except Exception as trouble:  # noqa: BLE001 - whatever it is: a process that seems dead loses its tasks
                self._doubtful_until = time.monotonic() + self._lease_seconds
                if not self._has_warned:
                    logger.warning("the lease of %s cannot be renewed, retrying: %s", self._worker, trouble)
                self._has_warned = True

    def _send_heartbeat(self) -> None:
        sent = time.monotonic()
        if self._members.renew(self._worker, self._kind, self._in_flight()):
            self._doubtful_until = time.monotonic() + self._lease_seconds
            logger.warning("the lease of %s had run out: others may have taken its tasks over", self._worker)
        self._own_lease_end = sent + self._lease_seconds


def refuse_living_processes(mongo: Mongo) -> None:
    """Raise ConflictError while any process of the installation lives: what follows needs the database alone."""
    if alive := sorted(str(it["_id"]) for it in Members(mongo).alive()):
        listed = ", ".join(alive[:5])
        raise ConflictError(f"Stop all processes first. These run, or ran a few seconds ago: {listed}.")
