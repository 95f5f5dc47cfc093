"""A restore: both logs of an empty database filled from a back-up, with the same positions, times, ids and hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import uuid4

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.installation import (
    INSTALLATION,
    RESTORED,
    begin_recovery,
    end_recovery,
    set_installation_id,
    set_master_key,
    unfinished_recovery,
)
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.membership.membership import refuse_living_processes
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.recovery.refill import Refill
from adapters.log.chain import E
from domain.errors import ConflictError
from projections.ports import RawCommit, StoredAuditRecord

HARMLESS: Final = {INSTALLATION, "presence", "leases", "requests"}  # collections of an installation without a log


class Restore:
    """One restore. `backup` names the back-up and its end, for whoever finds it unfinished, or begins it again."""

    def __init__(self, mongo: Mongo, backup: str) -> None:
        self._mongo, self._source = mongo, f"{RESTORED}{backup}"

    def begin(self, installation: str) -> None:
        """Set the mark; until `end` no process starts. `installation`: the id of the installation; empty: a new one.

        Raises ConflictError where the database is not empty, processes run, or another restore is unfinished.
        """
        refuse_living_processes(self._mongo)
        marked = unfinished_recovery(self._mongo)
        if marked is None:
            self._check_empty()
        elif marked != self._source:
            raise ConflictError(
                f"Something else was begun on the database {self._mongo.name!r} and has not ended ({marked}):"
                " finish that, or drop the database."
            )
        for collection in (EVENT_LOG.collection, AUDIT_LOG.collection):
            collection.ensure(self._mongo)
        begin_recovery(self._mongo, self._source)
        self._set_id(installation)

    def fill(self, commits: Iterable[RawCommit], records: Iterable[StoredAuditRecord]) -> Iterator[dict[str, Any]]:
        """Store both logs; yields `{step, position}`. Raises ConflictError where an entry does not have its hash."""
        for at in self._refill(EVENT_LOG).run(commits):
            yield {"step": "log", "position": at}
        for at in self._refill(AUDIT_LOG).run(records):
            yield {"step": "audit log", "position": at}

    def end(self, fingerprint: str | None) -> None:
        """Let processes start: those with the master key of this fingerprint."""
        if fingerprint is not None:
            set_master_key(self._mongo, fingerprint)
        end_recovery(self._mongo)

    def _refill(self, schema: MongoLogSchema[E]) -> Refill[E]:
        return Refill(self._mongo.collection(schema.name), schema, "the back-up")

    def _check_empty(self) -> None:
        with as_ours():
            names = sorted({*self._mongo.database.list_collection_names()} - HARMLESS)
            full = [name for name in names if self._mongo.collection(name).find_one({}, {"_id": 1}) is not None]
        if full:
            raise ConflictError(
                f"The database {self._mongo.name!r} is not empty: it has {', '.join(full[:3])}. A restore fills an"
                " empty one: name another AUTOLEARN_DATABASE, or drop this one if it may go."
            )

    def _set_id(self, installation: str) -> None:
        with as_ours():
            known = self._mongo.collection(INSTALLATION).find_one({"_id": INSTALLATION})
        if installation or known is None:
            set_installation_id(self._mongo, installation or uuid4().hex)
