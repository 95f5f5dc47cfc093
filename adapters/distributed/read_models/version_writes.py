"""How versions are written so that any order, repetition or interruption leaves the same: insert, then close.

A version's content and end follow from the log alone. So writing one again changes nothing, whoever does it: a
projector that was killed half-way, its successor with other batches, or one that was stopped for long and wakes up.
No transaction: one that is killed holds its locks for a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from adapters.distributed.mongo import Fields
from domain.errors import NotAbleError
from projections.ports import OPEN

DUPLICATE: Final = 11000
PIECE: Final = 1500  # how many versions go to the server at once

Name = tuple[Any, ...]


class Write(NamedTuple):
    """A version from `since` on of what `key` names; `fields` None: an end without a successor.

    `before` is where the version before it begins: None where that is not known, 0 where there is none.
    """

    key: Fields
    since: int
    fields: Fields | None
    before: int | None = None


Step = Callable[[], Any]


def steps(collection: Collection[Fields], writes: Iterable[Write]) -> Iterator[Step]:
    """Yield what is to be done, in an order of no importance. Raises NotAbleError for two versions in one place."""
    inserts, closings = _planned(writes)
    for begin in range(0, len(inserts), PIECE):
        yield partial(_insert, collection, inserts[begin : begin + PIECE])
    for begin in range(0, len(closings), PIECE):
        yield partial(collection.bulk_write, closings[begin : begin + PIECE], ordered=False)


def _planned(writes: Iterable[Write]) -> tuple[list[Fields], list[UpdateOne]]:
    """Return versions with their ends as far as the writes tell, and what closes the versions before all of them."""
    last: dict[Name, tuple[int, Fields | None]] = {}  # where the last version begins, and what is to be inserted
    inserts, closings = [], []
    for write in writes:
        key, since, fields, before = write
        name = tuple(key.values())
        earlier = last.get(name)
        if earlier is None:
            if before != 0:
                closings.append(_closing(write))
        else:
            if earlier[0] >= since:
                raise NotAbleError(f"Two versions of {name} from position {since} on cannot be written.")
            if earlier[1] is not None:
                earlier[1]["until"] = since
        version = None if fields is None else {"_id": {**key, "since": since}, "until": OPEN, **fields}
        last[name] = since, version
        if version is not None:
            inserts.append(version)
    return inserts, closings


def _closing(write: Write) -> UpdateOne:
    known = {**write.key, "since": write.before}
    range_of_all = {"$gte": {**write.key, "since": 0}, "$lt": {**write.key, "since": write.since}}
    before = range_of_all if write.before is None else known
    return UpdateOne({"_id": before, "until": OPEN}, {"$set": {"until": write.since}})


def _insert(collection: Collection[Fields], versions: list[Fields]) -> None:
    """Insert; those that are there already get the end that is known by now."""
    try:
        collection.insert_many(versions, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(one["code"] != DUPLICATE for one in failed) or error.details["writeConcernErrors"]:
            raise
        again = [versions[one["index"]] for one in failed]
        ends = [
            UpdateOne({"_id": one["_id"], "until": OPEN}, {"$set": {"until": one["until"]}})
            for one in again
            if one["until"] != OPEN
        ]
        if ends:
            collection.bulk_write(ends, ordered=False)
