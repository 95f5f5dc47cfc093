"""The check at a start: no topic goes beyond its log. Else the database was lost, or restored from an older back-up."""

from __future__ import annotations

from typing import Final

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.recovery.last_entry import last_entry
from adapters.distributed.topics.seek import TopicSeeker
from adapters.distributed.topics.topics import ensure_topics, has_topic
from adapters.log.chain import E
from domain.errors import ConflictError

LOGS: Final = (EVENT_LOG, AUDIT_LOG)


def check_start(mongo: Mongo, bootstrap: str, replication: int | None = None) -> None:
    """Raise ConflictError where the topics go beyond a log, or have another history: an append would fork it.

    Raises NotAbleError where it cannot be told now, as Kafka or MongoDB does not answer, and what `ensure_topics` does.
    """
    if is_first_start(mongo):
        _check_first(mongo, bootstrap, replication)
    check_end(mongo, bootstrap, EVENT_LOG)
    check_end(mongo, bootstrap, AUDIT_LOG)


def is_first_start(mongo: Mongo) -> bool:
    """Whether nothing was ever stored of one of the logs, or all of it is lost; raises NotAbleError."""
    return any(_is_empty(mongo, schema.name) for schema in LOGS)


def _check_first(mongo: Mongo, bootstrap: str, replication: int | None) -> None:
    ensure_topics(bootstrap, mongo.name, replication)
    for schema in LOGS:
        topic = schema.topic_of(mongo.name)
        # First the topic: what others append and relay meanwhile is in the database then.
        if _has_records(bootstrap, topic) and _is_empty(mongo, schema.name):
            raise ConflictError(
                f"The database {mongo.name!r} is empty, but the topic {topic} has records: bring the lost log back with"
                " `autolearn recover --from-kafka`, or choose another AUTOLEARN_DATABASE for a new one."
            )


def check_end(mongo: Mongo, bootstrap: str, schema: MongoLogSchema[E]) -> int | None:
    """Return where a topic ends, None where it is not there or empty; raises ConflictError where the log lacks it."""
    topic = schema.topic_of(mongo.name)
    if not has_topic(bootstrap, topic):  # it was removed, for the relay to fill it again
        return None
    last = last_entry(bootstrap, topic, schema)  # first the topic, as above
    if last is None:
        return None
    stored = next(iter(MongoLogReader(mongo, schema).read(last.position - 1, 1)), None)
    if stored is None or stored.hash != last.hash:
        what = "nothing" if stored is None else "something else"
        raise ConflictError(
            f"The topic {topic} goes on to position {last.position}, where the database {mongo.name!r} has {what}: "
            "MongoDB was restored from an older back-up, or the topic is of another log. Drop the database and bring "
            "it back with `autolearn recover --from-kafka`; if the topic is of another installation, choose another "
            "AUTOLEARN_DATABASE.",
            position=last.position,
        )
    return last.position


def _is_empty(mongo: Mongo, collection: str) -> bool:
    with as_ours():
        return mongo.collection(collection).find_one({}, {"_id": 1}) is None


def _has_records(bootstrap: str, topic: str) -> bool:
    with TopicSeeker(bootstrap, topic) as seeker:
        low, end = seeker.bounds()
        return low > 0 or seeker.first(low, end) is not None
