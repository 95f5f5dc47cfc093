"""A collection whose `_id`s are places in one row: each document takes the only place after one that is there for good.

Many processes write to it without locks and without gaps. Whoever finds its place taken reads the tail again and tries
the next one; what concurrent callers of one process hand in goes in together, in one round trip.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from adapters.distributed.mongo import PATIENCE_SECONDS, Fields, as_ours, is_hurried
from adapters.log.group_commit import GroupCommit
from domain.errors import NotAbleError

DUPLICATE_KEY: Final = 11000
# Who met another process stands back for a random time: up to twice as long after each clash, half after each success.
LEAST_PAUSE_SECONDS: Final = 0.001
MOST_DOUBLINGS: Final = 5
RIVALS_SECONDS: Final = 1.0  # for so long after a clash, a tail is not believed, and whoever got a place gives way
# Whoever would go on at once gives way for twice the longest pause: others get a turn, and more then goes in together.
AT_ONCE_SECONDS: Final = 0.001
MOST_COURTESY_SECONDS: Final = 0.008


class Candidate(Protocol):
    """What a caller hands in. The succession sets either the document, as stored, or the refusal."""

    document: Fields | None
    refusal: Exception | None


Job = TypeVar("Job", bound=Candidate)


class Line(Protocol[Job]):
    """What the users of a succession know of their documents. Only one thread at a time calls it."""

    def follow(self, tail: Fields, jobs: Sequence[Job]) -> list[tuple[Job, Fields]]:
        """Return the jobs with the documents (field `hash` included) that follow the tail; {} is that of no document.

        A job that must not go in gets its refusal and is left out; that harms no other.
        """
        ...

    def blame(self, job: Job) -> Exception | None:
        """Say why a unique key other than `_id` refused the job's document; None where it may be tried once more."""
        ...


class Succession(Generic[Job]):
    """The one writer of this process. `kept` names the fields of the tail, besides `_id`, that the line needs."""

    def __init__(self, collection: Collection[Fields], line: Line[Job], kept: Sequence[str]) -> None:
        self._collection, self._line = collection, line
        self._kept = ["_id", *kept]
        self._tail: Fields | None = None  # None: not known, read it
        self._tail_since = self._clashed = -RIVALS_SECONDS  # when the tail was last written, when a place was taken
        self._crowd = 0  # how many more clashes than successes there were of late
        self._stuck_since: float | None = None  # when the first clash was that no success followed
        self._group = GroupCommit(self._write)

    def submit(self, job: Job) -> Fields:
        """Return the job's document when it is stored for good; raises its refusal, or NotAbleError (come again).

        Of a MongoDB that stands still that takes two operations' time (insert, find out; three where the tail is not
        known), after as much for those who were writing. Who is `hurried` writes no others' jobs in its time. To find
        out has a time of its own on purpose: a fail-over that outlasts the insert then still ends with an answer that
        is certain.
        """
        self._group.submit(job, alone=is_hurried())
        if job.refusal is not None:
            raise job.refusal
        if job.document is None:
            raise NotAbleError("The write was interrupted; repeat the call.")
        return job.document

    def read_tail(self) -> Fields:
        """Return the kept fields of the last document; {} where there is none."""
        numbered = {"_id": {"$type": "number", "$gt": 0}}
        with as_ours():
            last = self._collection.find_one(numbered, dict.fromkeys(self._kept, 1), sort=[("_id", -1)])
        return last or {}

    def _write(self, jobs: list[Job]) -> list[Job]:
        """Write the jobs; return those that have to try again."""
        if self._gave_way():
            return jobs
        try:
            again = self._round(jobs)
            if again and self._tail is None:
                self._stand_back()
        except Exception as failure:  # noqa: BLE001 - each caller whom it concerns raises it
            self._tail = self._stuck_since = None
            for job in jobs:
                if job.document is None and job.refusal is None:
                    job.refusal = failure
            return []
        return again

    def _gave_way(self) -> bool:
        """Let rivals go first, where the last place was ours and just now; what queues up meanwhile joins the jobs."""
        now = time.monotonic()
        if self._tail is None or now > self._tail_since + AT_ONCE_SECONDS or not self._has_rivals(now):
            return False
        time.sleep(min(MOST_COURTESY_SECONDS, 2 * self._longest_pause()))
        return True

    def _has_rivals(self, now: float) -> bool:
        return now < self._clashed + RIVALS_SECONDS

    def _longest_pause(self) -> float:
        return LEAST_PAUSE_SECONDS * 2.0**self._crowd

    def _stand_back(self) -> None:
        self._clashed = now = time.monotonic()
        self._stuck_since = self._stuck_since or now
        if now > self._stuck_since + PATIENCE_SECONDS:
            raise NotAbleError("Too many processes write at once; repeat the call.")
        longest = self._longest_pause()
        self._crowd = min(self._crowd + 1, MOST_DOUBLINGS)
        time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret

    def _known_tail(self) -> Fields:
        """Return the tail: from memory, unless other processes write, so that it is likely to be out of date."""
        if self._tail is None or self._has_rivals(time.monotonic()):
            self._tail = self.read_tail()
        return self._tail

    def _round(self, jobs: Sequence[Job]) -> list[Job]:
        """Insert what follows the tail; return the jobs that have to try again."""
        planned = self._line.follow(self._known_tail(), jobs)
        if not planned:
            return []
        try:
            self._collection.insert_many([document for _, document in planned], ordered=True)
        except BulkWriteError as error:
            return self._after_clash(planned, error)
        except PyMongoError:
            self._find_out(planned)
            with as_ours():
                raise
        self._accept(planned)
        self._crowd = max(0, self._crowd - 1)
        return []

    def _accept(self, planned: Sequence[tuple[Job, Fields]]) -> None:
        for job, document in planned:
            job.document = document
        if planned:
            self._tail = {name: planned[-1][1][name] for name in self._kept}
            self._tail_since, self._stuck_since = time.monotonic(), None

    def _after_clash(self, planned: list[tuple[Job, Fields]], error: BulkWriteError) -> list[Job]:
        clash: Any = next(iter(error.details["writeErrors"]), {"code": 0})
        if clash["code"] != DUPLICATE_KEY or error.details["writeConcernErrors"]:
            self._find_out(planned)
            with as_ours():
                raise error
        inserted = error.details["nInserted"]
        self._accept(planned[:inserted])
        rest = [job for job, _ in planned[inserted:]]
        if "_id" in clash["keyPattern"]:
            self._tail = None
            return rest
        rest[0].refusal = self._line.blame(rest[0])
        if rest[0].refusal is None:
            self._tail = None
            return rest
        return rest[1:]

    def _find_out(self, planned: list[tuple[Job, Fields]]) -> None:
        """After a lost reply: which of these documents are there? Those whose place is not ours to see may yet come."""
        self._tail = None
        places = {"_id": {"$in": [document["_id"] for _, document in planned]}}
        with as_ours():
            stored = {found["_id"]: found["hash"] for found in self._collection.find(places, {"hash": 1})}
        for job, document in planned:
            if stored.get(document["_id"]) == document["hash"]:
                job.document = document
