"""What is asked of the commits by stream, version or append id: each one indexed query."""

from __future__ import annotations

from collections.abc import Collection as Sized
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from pymongo.collection import Collection

from adapters.distributed.log.commit_documents import COMMITS, LAYOUT, STREAM_VERSION, id_value
from adapters.distributed.log.seen_versions import SeenVersions
from adapters.distributed.mongo import Fields, Mongo, as_ours

LAST_CHARACTER: Final = "\U0010ffff"
Version = tuple[str, int]
VERSIONS_ONLY: Final = {"_id": 0, "e.o": 1, "e.v": 1}


class CommitReads:
    """The collection of commits, and the versions seen in it. `make`: with its indexes, where it lacks any.

    Else an index may be missing, or is being made by another process: reading goes on without it.
    """

    def __init__(self, mongo: Mongo, *, make: bool = True) -> None:
        self.collection: Collection[Fields] = mongo.collection(COMMITS)
        self.seen = SeenVersions()
        self._by_stream = STREAM_VERSION if make else None
        if make:
            LAYOUT.ensure(mongo)

    def events(self, stream: str, until: int | None = None) -> list[Fields]:
        """Return a stream's events as stored, in order, up to the commit that covers position `until`."""
        place = {} if until is None else {"_id": {"$lte": until}}
        only = {"$filter": {"input": "$e", "as": "e", "cond": {"$eq": ["$$e.o", {"$literal": stream}]}}}
        with as_ours():
            found = self.collection.find({"e.o": stream, **place}, {"e": only}).hint(self._by_stream)
            events = [e for document in found for e in document["e"]]
        events.sort(key=_version)
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
        """Return which of these streams' versions the log holds, in one query."""
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
        """Return the document of an append, whole or some of its fields."""
        with as_ours():
            return self.collection.find_one({"append_id": id_value(append_id)}, fields)


def _version(event: Fields) -> Any:
    return event["v"]
