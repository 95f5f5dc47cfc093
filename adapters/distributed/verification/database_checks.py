"""What a MongoDB holds besides, or instead of, what this program stores in it: collections, indexes, documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from functools import partial
from typing import Any, Final

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.audit_log.request_ids import request_faults
from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import faults_of
from adapters.distributed.installation import installation_faults
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.log.stream_index import streams_out_of_order
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, Statuses
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.verification.state_documents import SHAPES, state_formats

RELAYED: Final[dict[str, MongoLogSchema[Any]]] = {LOG_RELAY: EVENT_LOG, AUDIT_LOG_RELAY: AUDIT_LOG}

Check = Callable[[], Iterable[str]]


def database_checks(mongo: Mongo) -> tuple[Check, ...]:
    """Return the checks of one database without its read models; each returns what is wrong, or raises NotAbleError."""
    log, audit_log = MongoLogReader(mongo, EVENT_LOG), MongoLogReader(mongo, AUDIT_LOG)
    return (
        partial(_collection_faults, mongo),
        partial(_state_faults, mongo),
        log.strays,
        lambda: streams_out_of_order(mongo, log.end()[0]),
        audit_log.strays,
        partial(request_faults, mongo),
    )


def _collection_faults(mongo: Mongo) -> Iterator[str]:
    state = [CollectionSpec(name) for name in SHAPES]
    for collection in (EVENT_LOG.collection, AUDIT_LOG.collection, *state):
        yield from collection.faults(mongo)


def _state_faults(mongo: Mongo) -> Iterator[str]:
    """Look at the small documents: whose installation it is, who is alive, how far the relays are."""
    with as_ours():
        now = mongo.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    for name, expected in state_formats(now).items():
        yield from faults_of(mongo.collection(name), expected)
    yield from installation_faults(mongo)
    yield from _relay_faults(mongo)


def _relay_faults(mongo: Mongo) -> Iterator[str]:
    """Say where a relay had carried more than the log has now: the log has lost its end."""
    statuses = Statuses(mongo)
    carried = {work: statuses.read(work).get("position") for work in RELAYED}  # read before the ends, which grow
    for work, schema in RELAYED.items():
        position, end = carried[work], MongoLogReader(mongo, schema).end()[0]
        if isinstance(position, int) and position > end:
            yield f"the relay had carried the {schema.title} to {position}, and it ends at {end}"
