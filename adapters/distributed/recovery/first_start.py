"""A start beside topics that say more than the database does: it was lost, or restored from an older back-up."""

from __future__ import annotations

import logging
from typing import Final

from adapters.distributed.audit_log.store import MongoCommunications
from adapters.distributed.log.feed import MongoLog
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.topics.last_entry import last_archived, last_commit
from adapters.distributed.topics.seek import TopicSeeker
from adapters.distributed.topics.topics import ensure_topics, topics_of
from domain.errors import ConflictError, NotAbleError

log = logging.getLogger(__name__)

COLLECTIONS: Final = ("commits", "communications")  # in the order of their topics


def check_start(mongo: Mongo, bootstrap: str) -> None:
    """Raise ConflictError where the topics go beyond log or archive, or have others: an append would fork the log.

    Only while one of them is empty must Kafka answer; then NotAbleError and what `ensure_topics` raises.
    """
    if any(_is_empty(mongo, collection) for collection in COLLECTIONS):
        _check_first(mongo, bootstrap)
    try:
        _check_ends(mongo, bootstrap)
    except NotAbleError as outage:
        log.warning("the topics are not compared with the log at this start: %s", outage.sentence)


def _check_first(mongo: Mongo, bootstrap: str) -> None:
    ensure_topics(bootstrap, mongo.name)
    for topic, collection in zip(topics_of(mongo.name), COLLECTIONS, strict=True):
        # First the topic: what others append and relay meanwhile is in the database then.
        if _has_records(bootstrap, topic) and _is_empty(mongo, collection):
            raise ConflictError(
                f"The database {mongo.name!r} is empty, but the topic {topic} has records: bring the lost log back with"
                " `autolearn recover --from-kafka`, or choose another AUTOLEARN_DATABASE for a new one."
            )


def _check_ends(mongo: Mongo, bootstrap: str) -> None:
    events, communications = topics_of(mongo.name)
    # First the topic, as above.
    if (commit := last_commit(bootstrap, events)) is not None:
        stored = MongoLog(mongo).raw_after(commit.position - 1, 1)
        _compare(mongo, events, commit.position, commit.hash, stored[0].hash if stored else None)
    if (record := last_archived(bootstrap, communications)) is not None:
        kept = MongoCommunications(mongo, "start").read(record.position - 1, 1)
        _compare(mongo, communications, record.position, record.hash, kept[0].hash if kept else None)


def _compare(mongo: Mongo, topic: str, position: int, hash_: bytes, stored: bytes | None) -> None:
    if stored == hash_:
        return
    what = "nothing" if stored is None else "something else"
    raise ConflictError(
        f"The topic {topic} goes on to position {position}, where the database {mongo.name!r} has {what}: MongoDB was "
        "restored from an older back-up, or the topic is of another log. Drop the database and bring it back with "
        "`autolearn recover --from-kafka`. If it is the topic that is wrong, delete it: it is filled again.",
        position=position,
    )


def _is_empty(mongo: Mongo, collection: str) -> bool:
    with as_ours():
        return mongo.collection(collection).find_one({}, {"_id": 1}) is None


def _has_records(bootstrap: str, topic: str) -> bool:
    with TopicSeeker(bootstrap, topic) as seeker:
        low, end = seeker.bounds()
        return low > 0 or seeker.first(low, end) is not None
