"""What a MongoDB holds besides, or instead of, what this program stores in it: collections, indexes, documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from functools import partial
from typing import Final

from adapters.distributed.as_written import Kind, NeverWrittenError, faults_of, whole
from adapters.distributed.audit_log import documents as communication_documents
from adapters.distributed.audit_log.request_ids import request_faults
from adapters.distributed.audit_log.store import MongoCommunications
from adapters.distributed.installation import key_faults
from adapters.distributed.layout import Layout
from adapters.distributed.log import commit_documents
from adapters.distributed.log.feed import MongoLog
from adapters.distributed.log.served_streams import streams_out_of_order
from adapters.distributed.membership.dependencies import COMMUNICATIONS, RELAY
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.read_models.documents import DOCUMENT
from adapters.distributed.read_models.generations import HISTORY, NONE_YET, ReadModels, pointer_faults
from adapters.distributed.read_models.history_rows import ROW
from adapters.distributed.recovery.mark import mark_faults
from adapters.distributed.verification.state_documents import SHAPES, state_kinds
from projections.fold import VERSIONS
from projections.ports import OPEN

RELAYED: Final = {RELAY: "log", COMMUNICATIONS: "audit log"}

Check = Callable[[], Iterable[str]]


class Soundness:
    """Checks of one database; each returns what it finds wrong, and raises NotAbleError."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo, self._log = mongo, MongoLog(mongo)
        self._end = 0

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return all of them, the quick ones first."""
        return (
            self.layouts,
            self.state,
            partial(self._documents, commit_documents.COMMITS, commit_documents.COMMIT),
            partial(streams_out_of_order, self._mongo),
            partial(self._documents, communication_documents.COMMUNICATIONS, communication_documents.COMMUNICATION),
            partial(request_faults, self._mongo),
            self.read_models,
        )

    def layouts(self) -> Iterator[str]:
        """Look at the collections themselves, and their indexes."""
        read = ReadModels.current(self._mongo).pinned()
        served = read.layouts if read.number != NONE_YET else ()
        state = [Layout(name) for name in SHAPES]
        for layout in (commit_documents.LAYOUT, communication_documents.LAYOUT, *served, *state):
            yield from layout.faults(self._mongo)

    def state(self) -> Iterator[str]:
        """Look at the small documents: whose installation it is, which read models serve, who lives."""
        with as_ours():
            now = self._mongo.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        for name, kind in state_kinds(now).items():
            yield from self._documents(name, kind)
        yield from key_faults(self._mongo)
        yield from mark_faults(self._mongo)
        yield from pointer_faults(self._mongo)
        yield from self._relayed_faults()

    def read_models(self) -> Iterator[str]:
        """Look at the versions of the generation that serves."""
        read = ReadModels.current(self._mongo).pinned()
        if read.number != NONE_YET:
            for projection in VERSIONS:
                kind = ROW if projection == HISTORY else DOCUMENT
                yield from self._documents(read.collection(projection).name, self._in_time(kind))

    def _relayed_faults(self) -> Iterator[str]:
        """Tell where a relay was farther than what it carries: that has lost its end."""
        statuses = Statuses(self._mongo)  # asked before the ends: what is appended meanwhile is beyond
        carried = [(what, statuses.read(work).get("position")) for work, what in RELAYED.items()]
        last = MongoCommunications(self._mongo, "verify", make=False).recent(0)[-1:]
        ends = self._log.head()[0], last[0].position if last else 0
        for (what, position), end in zip(carried, ends, strict=True):
            if isinstance(position, int) and position > end:
                yield f"the relay had carried the {what} to {position}, and it ends at {end}"

    def _documents(self, collection: str, kind: Kind) -> list[str]:
        return faults_of(self._mongo.collection(collection), kind)

    def _in_time(self, kind: Kind) -> Kind:
        """Return the kind of a version that begins and ends in the time of the log."""

        def rewritten(stored: Fields) -> Iterable[Fields]:
            since, until = whole(stored["_id"]["since"]), whole(stored["until"])
            if not 1 <= since < until or self._is_beyond(since) or (until != OPEN and self._is_beyond(until)):
                raise NeverWrittenError(f"it is true from {since} to {until}, and the log ends at {self._end}")
            return kind.rewritten(stored)

        return Kind(kind.what, rewritten)

    def _is_beyond(self, position: int) -> bool:
        """Tell whether the log ends before a position; it grows meanwhile."""
        if position > self._end:
            self._end = self._log.head()[0]
        return position > self._end
