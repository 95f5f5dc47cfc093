"""A small installation in MongoDB that has lived by the rules, and what verify says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.audit_log.chain import chain_faults as audit_chain_faults
from adapters.audit_log.system_records import KEY
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import check_master_key, installation_id
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.leases import Leases
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.read_models.store import MongoReadModelStore
from adapters.distributed.verification.database_checks import database_checks
from adapters.files.spill_table import SqliteSpillTable
from adapters.log.chain import chain_faults
from adapters.log.events import decode
from projections.ports import AuditRecord
from projections.runner import ProjectionRunner
from projections.verification.stores import InspectedStores
from projections.verification.verify import verify
from tests.projections.world import World

Report = dict[str, Any]
FINGERPRINT = "f" * 16


class MongoWorld(World):
    """The same life, in MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self.mongo = mongo
        self.store = MongoEventStore(mongo)  # type: ignore[assignment] # another adapter of the same port
        self.feed = MongoFeed(mongo)  # type: ignore[assignment] # idem
        read = ReadModels.ensure(mongo)
        self.documents = MongoDocuments(read)  # type: ignore[assignment] # idem
        self.history = MongoHistory(read)  # type: ignore[assignment] # idem
        self.runner = ProjectionRunner(self.feed, ProjectorDocuments(read))
        self.commits = []
        self.experiments = []
        self.sessions = {}


class Sound:
    """Blobs that are all there."""

    def check(self, sha256: str) -> str | None:
        """Return what is wrong."""

    def stored(self) -> list[str]:
        """Return what lies there besides."""
        return []


def call(number: int, **facts: Any) -> AuditRecord:
    """Make up a call."""
    texts = ("source", "target", "operation", "outcome", "problem", "causation", "digest_in", "digest_out")
    known: dict[str, Any] = dict.fromkeys(texts, "x") | {"kind": "call", "actor": "ana", "milliseconds": 1.5}
    known |= {"bytes_in": 1, "bytes_out": 2, "domain_position": number, "correlation": f"call-{number}"}
    return AuditRecord(**(known | facts))


def live(mongo: Mongo, key: str = FINGERPRINT) -> MongoWorld:
    """Make the installation: log, audit log of two processes, read models, and what it has once."""
    installation_id(mongo)
    check_master_key(mongo, key)
    world = MongoWorld(mongo)
    world.register("iris")
    world.train("ana", "a" * 16)
    world.evaluate("ana", "a" * 16, {"precision:macro": 0.9})
    world.commit("ana", ["a" * 16])
    world.decide("ana", "a" * 16, "withdraw", "wrong")
    world.catch_up()
    writers = MongoAuditLog(mongo, "w1"), MongoAuditLog(mongo, "w2")
    writers[0].append(call(0, kind="process", causation=f"{KEY}{key}"))
    for number in range(1, len(world.commits) + 1):
        place = world.store.end()[0] if number % 2 else number  # as the driver gives it: an int64
        writers[number % 2].append(call(number, domain_position=place))
    Statuses(mongo).report("relay", position=3, fault=None, outage=None, replicas=1, remark=None)
    Leases(mongo, 5.0).take("relay", "relay-1")
    return world


@contextmanager
def living(mongo: Mongo) -> Iterator[None]:
    """Let a process be there for a while."""
    presence = Membership(mongo, "serve-session-1")
    presence.start()
    try:
        yield
    finally:
        presence.stop()


def stores_in(mongo: Mongo) -> InspectedStores:
    """Return what verify looks at, opened anew and only for reading."""
    read_models = MongoReadModelStore(mongo)
    return InspectedStores(
        feed=MongoFeed(mongo),
        documents=read_models.documents,
        history=read_models.history,
        blobs=Sound(),
        audit_log=MongoAuditLog(mongo, "verify", make=False),
        chain_faults=chain_faults,
        decode=decode,
        audit_chain_faults=audit_chain_faults,
        open_spill=SqliteSpillTable,
        file_checks=(*database_checks(mongo), *read_models.checks),
    )


def faults_in(mongo: Mongo, **given: Any) -> list[str]:
    """Return what verify finds."""
    *_, report = verify(stores_in(mongo), **given)
    return [fault["what"] for fault in report["faults"]]
