"""The log read commit by commit from where it is ordered: `projections.ports.Feed` on the collection of commits."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from adapters.distributed.as_written import TOLERANT, faults_of
from adapters.distributed.log.commit_documents import COMMIT, COMMITS, raw_of, recorded_of
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.tail_watcher import growth_of
from adapters.log.chain import GENESIS
from adapters.log.times import to_microseconds
from projections.ports import RawCommit, Recorded


class MongoLog:
    """The log as readers follow it; for scans that may take their time, give it a `Mongo` without a time limit."""

    def __init__(self, mongo: Mongo) -> None:
        self._commits: Collection[Fields] = mongo.collection(COMMITS)
        self._tolerant: Collection[Fields] = self._commits.with_options(codec_options=TOLERANT)
        self._growth = growth_of(mongo, COMMITS, "position")

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return decoded events of whole commits after `position`, about `limit` events, at least one commit."""
        return [recorded for commit in _page(self._commits, position, limit) for recorded in recorded_of(commit)]

    def raw_after(self, position: int, limit: int) -> list[RawCommit]:
        """Return the same as stored, undecoded; of damaged documents, what can still be read of them."""
        return [raw_of(document) for document in _page(self._tolerant, position, limit)]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        return self._growth.wait_beyond(position, timeout)

    def head(self) -> tuple[int, bytes]:
        """Return position and chain hash of the last commit; (0, 32 zero bytes) for an empty log."""
        with as_ours():
            last = self._tolerant.find_one({"position": {"$type": "number"}}, {"e": 0}, sort=[("position", DESCENDING)])
        commit = raw_of(last) if last else None
        return (commit.position, commit.hash) if commit else (0, GENESIS)

    def position_at(self, moment: datetime) -> int:
        """Return the position of the last commit with `at` <= moment (0 where there is none)."""
        order = [("at", DESCENDING), ("position", DESCENDING)]
        return self._place({"at": {"$lte": to_microseconds(moment)}}, order)

    def commit_at(self, position: int) -> int:
        """Return the greatest commit position <= `position` (0 where there is none)."""
        return self._place({"position": {"$lte": position}}, [("position", DESCENDING)])

    def strays(self) -> list[str]:
        """Return what is wrong with documents, whatever they are: `after` may pass them over."""
        return faults_of(self._commits, COMMIT)

    def _place(self, until: Fields, order: list[tuple[str, int]]) -> int:
        with as_ours():
            found = self._commits.find_one(until, {"position": 1}, sort=order)
        return int(found["position"]) if found else 0


def _page(commits: Collection[Fields], after: int, limit: int) -> list[Fields]:
    """Return the commits that end at most `limit` positions after `after`, or else the next one."""
    with as_ours():
        page = {"position": {"$gt": after, "$lte": after + limit}}
        found = list(commits.find(page, sort=[("position", ASCENDING)]))
        return found or list(commits.find({"position": {"$gt": after}}, sort=[("position", ASCENDING)], limit=1))
