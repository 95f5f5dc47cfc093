"""The very first start on an empty database: topics that are full already belong to a log that was lost."""

from __future__ import annotations

from typing import Final

from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.probe import Probe
from adapters.distributed.topics import ensure_topics, topics_of
from domain.errors import ConflictError

COLLECTIONS: Final = ("commits", "communications")  # in the order of their topics


def check_first_start(mongo: Mongo, bootstrap: str) -> None:
    """Raise ConflictError where log or archive are empty and their topics are not: a new log would bar their recovery.

    Only while one of them is empty is Kafka asked for; then NotAbleError and what `ensure_topics` raises.
    """
    if not any(_is_empty(mongo, collection) for collection in COLLECTIONS):
        return
    ensure_topics(bootstrap, mongo.name)
    for topic, collection in zip(topics_of(mongo.name), COLLECTIONS, strict=True):
        # First the topic: what others append and relay meanwhile is in the database then.
        if _has_records(bootstrap, topic) and _is_empty(mongo, collection):
            raise ConflictError(
                f"The database {mongo.name!r} is empty, but the topic {topic} has records: bring the lost log back with"
                " `autolearn recover --from-kafka`, or choose another AUTOLEARN_DATABASE for a new one."
            )


def _is_empty(mongo: Mongo, collection: str) -> bool:
    with as_ours():
        return mongo.collection(collection).find_one({}, {"_id": 1}) is None


def _has_records(bootstrap: str, topic: str) -> bool:
    probe = Probe(bootstrap, topic)
    try:
        low, end = probe.ends()
        return low > 0 or probe.first(low, end) is not None
    finally:
        probe.close()
