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


class DatabaseChecks:
    """Checks of one database, but for its read models; each returns what it finds wrong, and raises NotAbleError."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._log, self._audit_log = MongoLogReader(mongo, EVENT_LOG), MongoLogReader(mongo, AUDIT_LOG)

    @property
    def checks(self) -> tuple[Check, ...]:
        return (
            self.collections,
            self.state,
            self._log.strays,
            lambda: streams_out_of_order(self._mongo, self._log.end()[0]),
            self._audit_log.strays,
            partial(request_faults, self._mongo),
        )

    def collections(self) -> Iterator[str]:
        state = [CollectionSpec(name) for name in SHAPES]
        for collection in (EVENT_LOG.collection, AUDIT_LOG.collection, *state):
            yield from collection.faults(self._mongo)

    def state(self) -> Iterator[str]:
        """Look at the small documents: whose installation it is, which read models serve, who lives."""
        with as_ours():
            now = self._mongo.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        for name, expected in state_formats(now).items():
            yield from faults_of(self._mongo.collection(name), expected)
        yield from installation_faults(self._mongo)
        yield from self._relayed_faults()

    def _relayed_faults(self) -> Iterator[str]:
        """Tell where a relay was farther than what it carries: that has lost its end."""
        statuses = Statuses(self._mongo)  # asked before the ends: what is appended meanwhile is beyond
        carried = [(schema.title, statuses.read(work).get("position")) for work, schema in RELAYED.items()]
        ends = self._log.end()[0], self._audit_log.end()[0]
        for (title, position), end in zip(carried, ends, strict=True):
            if isinstance(position, int) and position > end:
                yield f"the relay had carried the {title} to {position}, and it ends at {end}"
