"""Streams as they are served, by their index: of each, versions 1, 2, … in the order of positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bson.max_key import MaxKey
from bson.min_key import MinKey

from adapters.distributed.log.commit_documents import COMMITS, STREAM_VERSION
from adapters.distributed.log.feed import MongoLog
from adapters.distributed.mongo import Mongo, as_ours

MOST: Final = 100
BY_INDEX: Final[dict[str, Any]] = {"$match": {"e.o": {"$gte": MinKey(), "$lte": MaxKey()}}}
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
EVENTS: Final[list[dict[str, Any]]] = [
    {"$project": {"e.o": 1, "e.v": 1}},
    {"$unwind": {"path": "$e", "includeArrayIndex": "n"}},
    {"$set": {"at": {"$add": ["$_id", "$n"]}}},
]


def streams_out_of_order(mongo: Mongo) -> Iterator[str]:
    """Name events that are not the next ones of their streams."""
    end = MongoLog(mongo).head()[0]  # what comes while the index is read would show without what came before it
    commits = {"$match": {"_id": {"$type": "number", "$lte": end}, "e": {"$type": "object"}}}
    steps = [BY_INDEX, commits, *EVENTS, {"$match": {"e.v": {"$type": "number"}}}, IN_STREAMS, OUT_OF_ORDER]
    with as_ours():
        found = mongo.collection(COMMITS).aggregate([*steps, {"$limit": MOST}], hint=STREAM_VERSION, allowDiskUse=True)
        for it in found:
            e = it["e"]
            yield f"version {e['v']} of stream {e['o']!r} (position {it['at']}) is not the next one there"
