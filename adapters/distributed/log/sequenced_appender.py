"""Appends to a collection whose `_id`s are positions: each entry takes the only place after one that is there for good.

Many processes write without locks and without gaps. A process that finds its place taken reads the last entry again and
tries the next place; what concurrent callers of one process hand in goes in together, in one round trip.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from bson.int64 import Int64
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import OPERATION_SECONDS, Fields, as_ours, has_short_timeout
from adapters.host.retry import Retry
from adapters.log.chain import E, LastEntry
from adapters.log.group_commit import GroupCommit, Pending
from domain.errors import NotAbleError

DUPLICATE_KEY: Final = 11000
CLASHES: Final = Retry(shortest=0.001, longest=0.032)
MOST_DOUBLINGS: Final = 5
RIVALS_SECONDS: Final = 1.0  # after a clash: a known last entry is not trusted, a process that won gives way
# A process that would go on at once gives way for twice the longest pause: others get a turn, and more goes in at once.
AT_ONCE_SECONDS: Final = 0.001
MOST_YIELD_SECONDS: Final = 0.008

I = TypeVar("I")  # noqa: E741 - what callers hand in


class Planned(NamedTuple, Generic[I, E]):
    job: Pending[I, E]
    entry: E
    document: Fields


class EntryPlanner(Protocol[I, E]):
    """Makes entries of what callers hand in. Only one thread at a time calls it."""

    def plan(self, last: LastEntry, jobs: Sequence[Pending[I, E]]) -> list[tuple[Pending[I, E], E]]:
        """Return the jobs with the entries that follow the last one.

        A job that must not go in gets its refusal and is left out; that harms no other.
        """
        ...

    def refusal(self, job: Pending[I, E]) -> Exception | None:
        """Say why a unique key other than `_id` refused the job's entry; None where it may be tried once more."""
        ...


class SequencedAppender(Generic[I, E]):
    """The one writer of this process to one log."""

    def __init__(self, collection: Collection[Fields], schema: MongoLogSchema[E], planner: EntryPlanner[I, E]) -> None:
        self._collection, self._schema, self._planner = collection, schema, planner
        self._last: LastEntry | None = None  # the last entry; None: not known, read it
        self._last_written = self._clashed = -RIVALS_SECONDS  # when we wrote it, when a place was taken
        self._crowd = 0  # how many more clashes than successes there were of late
        self._stuck_since: float | None = None  # the first clash that no success followed
        self._group = GroupCommit(self._write)

    def append(self, what: I) -> E:
        """Return the entry when it is stored for good; raises its refusal, or NotAbleError (come again).

        If MongoDB stands still, this takes the time of two operations (insert, find out; three if the last entry is not
        known), after as much for those who were writing. Within `short_timeout` it writes nobody else's jobs. To
        find out has a time of its own on purpose: a fail-over that outlasts the insert still ends with an answer that
        is certain.
        """
        job = Pending[I, E](what)
        self._group.submit(job, alone=has_short_timeout())
        return job.result()

    def read_last(self) -> LastEntry:
        """Return the last entry; raises NotAbleError if the last document is not an entry of this log."""
        fields = (self._schema.position, "at", "hash")
        numbered = {"_id": {"$type": "number", "$gt": 0}}
        with as_ours():
            last = self._collection.find_one(numbered, dict.fromkeys(fields, 1), sort=[("_id", -1)])
        if last is None:
            return LastEntry()
        found: list[Any] = [last.get(name) for name in fields]
        if [type(it) for it in found] != [Int64, Int64, bytes]:
            raise NotAbleError(
                f"The {self._schema.title} ends with a document that is not a {self._schema.format.what};"
                " `autolearn verify` shows it."
            )
        return LastEntry(int(found[0]), int(found[1]), found[2])

    def _write(self, jobs: list[Pending[I, E]]) -> list[Pending[I, E]]:
        """Write the jobs; return those that have to try again."""
        if self._give_way():
            return jobs
        try:
            again = self._insert(jobs)
            if not again:
                self._stuck_since = None  # nobody waits any more, not even where all were refused
            elif self._last is None:
                self._stand_back()
        except Exception as failure:  # noqa: BLE001 - each caller whom it concerns raises it
            self._last = self._stuck_since = None
            for job in jobs:
                if job.entry is None and job.refusal is None:
                    job.refusal = failure
            return []
        return again

    def _give_way(self) -> bool:
        """Let rivals go first, where the last place was ours and just now; what queues up meanwhile joins the jobs."""
        now = time.monotonic()
        if self._last is None or now > self._last_written + AT_ONCE_SECONDS or not self._has_rivals(now):
            return False
        time.sleep(min(MOST_YIELD_SECONDS, 2 * CLASHES.shortest * 2.0**self._crowd))
        return True

    def _has_rivals(self, now: float) -> bool:
        return now < self._clashed + RIVALS_SECONDS

    def _stand_back(self) -> None:
        """Pause at random: up to twice as long after each clash, half as long after each success."""
        self._clashed = now = time.monotonic()
        self._stuck_since = self._stuck_since or now
        if now > self._stuck_since + OPERATION_SECONDS:
            raise NotAbleError("Too many processes write at once; repeat the call.")
        pause = CLASHES.pause(self._crowd + 1)
        self._crowd = min(self._crowd + 1, MOST_DOUBLINGS)
        time.sleep(pause)

    def _insert(self, jobs: Sequence[Pending[I, E]]) -> list[Pending[I, E]]:
        if self._last is None or self._has_rivals(time.monotonic()):  # then a known one is likely to be out of date
            self._last = self.read_last()
        to_document = self._schema.to_document
        planned = [Planned(job, entry, to_document(entry)) for job, entry in self._planner.plan(self._last, jobs)]
        if not planned:
            return []
        try:
            self._collection.insert_many([it.document for it in planned], ordered=True)
        except BulkWriteError as error:
            return self._after_clash(planned, error)
        except PyMongoError:
            self._find_out(planned)
            with as_ours():
                raise
        self._accept(planned)
        self._crowd = max(0, self._crowd - 1)
        return []

    def _accept(self, planned: Sequence[Planned[I, E]]) -> None:
        for job, entry, _ in planned:
            job.entry = entry
        if planned:
            self._last = LastEntry.of(planned[-1].entry)
            self._last_written, self._stuck_since = time.monotonic(), None

    def _after_clash(self, planned: list[Planned[I, E]], error: BulkWriteError) -> list[Pending[I, E]]:
        clash: Any = next(iter(error.details["writeErrors"]), {"code": 0})
        if clash["code"] != DUPLICATE_KEY or error.details["writeConcernErrors"]:
            self._find_out(planned)
            with as_ours():
                raise error
        inserted = error.details["nInserted"]
        self._accept(planned[:inserted])
        rest = [it.job for it in planned[inserted:]]
        if "_id" not in clash["keyPattern"]:
            rest[0].refusal = self._planner.refusal(rest[0])
            if rest[0].refusal is not None:
                return rest[1:]
        self._last = None
        return rest

    def _find_out(self, planned: list[Planned[I, E]]) -> None:
        """After a lost reply: which documents are there? One that a majority does not hold yet may still come."""
        self._last = None
        places = {"_id": {"$in": [it.document["_id"] for it in planned]}}
        with as_ours():
            stored = {found["_id"]: found["hash"] for found in self._collection.find(places, {"hash": 1})}
        for job, entry, document in planned:
            if stored.get(document["_id"]) == document["hash"]:
                job.entry = entry
