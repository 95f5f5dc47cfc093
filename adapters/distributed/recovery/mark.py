"""The mark that a recovery sets at its beginning and takes away at its end: in between nothing may be appended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.distributed.mongo import Mongo, as_ours
from domain.errors import ConflictError

COLLECTION: Final = "installation"
MARK: Final = "recovery"


def begun(mongo: Mongo) -> str | None:
    """Return what the recovery that began, and did not end, brings back: the `ce_source` of its records."""
    with as_ours():
        mark = mongo.collection(COLLECTION).find_one({"_id": MARK})
    return str(mark["source"]) if mark else None


def begin(mongo: Mongo, source: str) -> None:
    """Set the mark."""
    with as_ours():
        mongo.collection(COLLECTION).replace_one({"_id": MARK}, {"_id": MARK, "source": source}, upsert=True)


def end(mongo: Mongo) -> None:
    """Take the mark away."""
    with as_ours():
        mongo.collection(COLLECTION).delete_one({"_id": MARK})


def refuse_unfinished(mongo: Mongo) -> None:
    """Raise ConflictError where a recovery was interrupted: an append now would not be the log that Kafka has."""
    if begun(mongo) is not None:
        raise ConflictError(
            f"The recovery of {mongo.name!r} was interrupted: `autolearn recover --from-kafka` goes on with it, "
            "and where a topic is damaged, its options `--until` and `--communications-until` end it before that."
        )


def mark_faults(mongo: Mongo) -> Iterator[str]:
    """Yield that a recovery began and did not end: what is appended then may be beyond what it brings back."""
    if begun(mongo) is not None:
        yield "a recovery is unfinished, or the mark of one was set by hand: no process starts on this database"
