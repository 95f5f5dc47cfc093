"""Streams of the event log: what is asked by stream, version or append id, each one indexed query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection as Sized
from collections.abc import Iterable, Iterator
from operator import itemgetter
from threading import Lock
from typing import Any, Final
from uuid import UUID

from bson.max_key import MaxKey
from bson.min_key import MinKey
from pymongo.collection import Collection

from adapters.distributed.log.commit_schema import COMMITS, EVENT_LOG, STREAM_VERSION, id_value
from adapters.distributed.mongo import Fields, Mongo, as_ours

LAST_CHARACTER: Final = "\U0010ffff"
Version = tuple[str, int]
VERSIONS_ONLY: Final = {"_id": 0, "e.o": 1, "e.v": 1}
MOST_SEEN: Final = 20_000
MOST_FAULTS: Final = 100
BY_INDEX: Final[dict[str, Any]] = {"$match": {"e.o": {"$gte": MinKey(), "$lte": MaxKey()}}}
EVENTS: Final[list[dict[str, Any]]] = [
    {"$project": {"e.o": 1, "e.v": 1}},
    {"$unwind": {"path": "$e", "includeArrayIndex": "n"}},
    {"$set": {"at": {"$add": ["$_id", "$n"]}}},
]
# Each event with the version, and the place in the log, of the one before it in its stream.
IN_STREAMS: Final[dict[str, Any]] = {
    "$setWindowFields": {
        "partitionBy": "$e.o",
        "sortBy": {"e.v": 1},
        "output": {
            "before": {"$shift": {"output": "$e.v", "by": -1, "default": 0}},
            "place": {"$shift": {"output": "$at", "by": -1, "default": 0}},
        },
    }
}
OUT_OF_ORDER: Final[dict[str, Any]] = {
    "$match": {"$expr": {"$or": [{"$ne": ["$e.v", {"$add": ["$before", 1]}]}, {"$lte": ["$at", "$place"]}]}}
}


class SeenVersions:
    """The greatest version seen of each of the streams used last. Streams only grow, so it is a lower bound."""

    def __init__(self, most: int = MOST_SEEN) -> None:
        self._most = most
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def of(self, stream: str) -> int:
        return self._versions.get(stream, 0)

    def note(self, versions: Iterable[Version]) -> None:
        """Remember versions that the log holds for good; those of the streams noted longest ago are forgotten."""
        with self._lock:
            for stream, version in versions:
                self._versions[stream] = max(version, self._versions.pop(stream, 0))
            while len(self._versions) > self._most:
                self._versions.popitem(last=False)


class StreamIndex:
    """The commits by stream. `make`: the collection with its indexes, where it lacks any.

    Else an index may be missing, or is being made by another process: reading goes on without it.
    """

    def __init__(self, mongo: Mongo, *, make: bool = True) -> None:
        self.collection: Collection[Fields] = mongo.collection(COMMITS)
        self.seen = SeenVersions()
        self._by_stream = STREAM_VERSION if make else None
        if make:
            EVENT_LOG.collection.ensure(mongo)

    def events(self, stream: str, until: int | None = None) -> list[Fields]:
        """Return a stream's events as stored, in order, up to the commit that covers position `until`."""
        place = {} if until is None else {"_id": {"$lte": until}}
        only = {"$filter": {"input": "$e", "as": "e", "cond": {"$eq": ["$$e.o", {"$literal": stream}]}}}
        with as_ours():
            found = self.collection.find({"e.o": stream, **place}, {"e": only}).hint(self._by_stream)
            events = [e for document in found for e in document["e"]]
        events.sort(key=itemgetter("v"))
        if events:
            self.seen.note([(stream, events[-1]["v"])])
        return events

    def version(self, stream: str) -> int:
        """Return the version of a stream's last event; 0 where it has none. Only what is new is read."""
        seen = self.seen.of(stream)
        newer = {"e": {"$elemMatch": {"o": stream, "v": {"$gt": seen}}}}
        with as_ours():
            found = list(self.collection.find(newer, VERSIONS_ONLY).hint(self._by_stream))
        version = max((e["v"] for document in found for e in document["e"] if e["o"] == stream), default=seen)
        if version > seen:
            self.seen.note([(stream, version)])
        return version

    def held(self, versions: Iterable[Version]) -> set[Version]:
        wanted = [{"e": {"$elemMatch": {"o": stream, "v": version}}} for stream, version in versions]
        if not wanted:
            return set()
        with as_ours():
            found = list(self.collection.find({"$or": wanted}, VERSIONS_ONLY))
        held = {(e["o"], e["v"]) for document in found for e in document["e"]}
        self.seen.note(held)
        return held

    def streams(self, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` names of streams that begin so, in order.

        Each stream has one first event, and a scan of the index of streams and versions skips to it. Documents come in
        the order of their first name in range, so the first `limit` of them hold the first `limit` names.
        """
        if limit <= 0:
            return []
        end = prefix + LAST_CHARACTER
        begun = {"e": {"$elemMatch": {"o": {"$gte": prefix, "$lt": end}, "v": 1}}}
        with as_ours():
            found = list(self.collection.find(begun, VERSIONS_ONLY).hint(self._by_stream).limit(limit))
        names = {e["o"] for document in found for e in document["e"] if e["v"] == 1 and prefix <= e["o"] < end}
        return sorted(names)[:limit]

    def append(self, append_id: UUID, fields: Sized[str] | None = None) -> Fields | None:
        with as_ours():
            return self.collection.find_one({"append_id": id_value(append_id)}, fields)


def streams_out_of_order(mongo: Mongo, end: int) -> Iterator[str]:
    """Name events up to a position that the index does not give as versions 1, 2, … of their streams, in order."""
    # What comes while the index is read would show without what came before it, hence the end.
    commits = {"$match": {"_id": {"$type": "number", "$lte": end}, "e": {"$type": "object"}}}
    steps = [BY_INDEX, commits, *EVENTS, {"$match": {"e.v": {"$type": "number"}}}, IN_STREAMS, OUT_OF_ORDER]
    with as_ours():
        found = mongo.collection(COMMITS).aggregate(
            [*steps, {"$limit": MOST_FAULTS}], hint=STREAM_VERSION, allowDiskUse=True
        )
        for it in found:
            e = it["e"]
            yield f"version {e['v']} of stream {e['o']!r} (position {it['at']}) is not the next one there"
