"""The distributed mode put together: MongoDB orders and answers, Kafka carries; any number of processes of a kind."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.audit_log.settling import Settling
from adapters.audit_log.system_records import ArchivedJournal
from adapters.distributed.audit_log.request_ids import MongoRequestIds
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.installation import check_deployment, check_master_key, installation_id
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.dependencies import Dependencies
from adapters.distributed.membership.membership import Membership
from adapters.distributed.mongo import OPERATION_SECONDS, Mongo, hurried
from adapters.distributed.read_models.adoption import Adoptions
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.recovery.first_start import check_start
from adapters.distributed.recovery.mark import refuse_unfinished
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.verification.database_checks import DatabaseChecks
from adapters.distributed.verification.topic_copy import TopicCopy
from adapters.files.blobs import FileBlobs
from adapters.host.private_files import discard
from adapters.http.backend import Backend
from adapters.http.middleware.audit import InFlightCalls
from adapters.security.keys import fingerprint
from adapters.tasks.installed import is_installed
from commands.application import Application
from commands.event_worker import EventWorker
from projections.tasks import UnfinishedTasks
from server.compose.distributed_tails import check_ends
from server.compose.folders import prepare_places, scratch_of
from server.compose.stores import Stores, application_of, backend_of, environment, master_key
from server.inspection.process import ProcessInspector
from server.service_node import ServiceNode
from server.settings import Settings

KINDS: Mapping[str, frozenset[str]] = {  # which tasks the event worker of a service takes
    "catalog": frozenset(),
    "training": frozenset({"training"}),
    "evaluation": frozenset({"evaluation"}),
    "session": frozenset(),
    "storage": frozenset({"reproduction"}),
}
PROCESS: Final = re.compile(r"(serve|work|offline)-[a-z]+-[0-9a-f]{8}")  # as `open_service` names them
NONE: frozenset[str] = frozenset()  # whoever only serves ends here what is cancelled elsewhere, and claims nothing
IN_FLIGHT_SECONDS = 10.0


@dataclass(kw_only=True)
class DistributedStores(Stores):
    """The same stores, and the database they are in."""

    mongo: Mongo


def open_database(settings: Settings, opened: ExitStack, *, seconds: float | None = OPERATION_SECONDS) -> Mongo:
    """Open the database and look at whether it can carry a log; `opened` closes it."""
    mongo = Mongo(settings.mongodb, settings.database, seconds=seconds)
    opened.callback(mongo.close)
    check_deployment(mongo)
    return mongo


def open_stores(
    settings: Settings, worker: str, opened: ExitStack, mongo: Mongo | None = None, *, read_only: bool = False
) -> DistributedStores:
    """Open what is stored; `opened` closes it. Without a database at hand, one whose operations may take long.

    `read_only`: collections and indexes stay as they are, for verify to tell.
    """
    mongo = mongo or open_database(settings, opened, seconds=None)
    scratch = scratch_of(settings) / worker
    opened.callback(discard, scratch)
    feed, installation = MongoFeed(mongo), installation_id(mongo)
    topic = KafkaFeed(settings.kafka, settings.database, installation)
    opened.callback(topic.close)
    read = ReadModels.current(mongo)
    communications = MongoAuditLog(mongo, worker, settings.reserve, settings.data, make=not read_only)
    return DistributedStores(
        store=MongoEventStore(mongo, make=not read_only),
        feed=feed,
        topic=topic,
        documents=MongoDocuments(read),
        history=MongoHistory(read),
        communications=communications,
        blobs=FileBlobs(settings.blobs_url, str(scratch)),
        file_checks=DatabaseChecks(mongo).checks,
        topics=TopicCopy(settings.kafka, settings.database, origin(settings.database, installation)),
        mongo=mongo,
    )


def database_to_write(settings: Settings, opened: ExitStack, *, checked: bool) -> Mongo:
    """Open the database; unless that is `checked`, raise ConflictError where an append would fork or hide a loss."""
    mongo = open_database(settings, opened)
    refuse_unfinished(mongo)
    if not checked:
        check_start(mongo, settings.kafka)
        check_ends(mongo)
    return mongo


def open_service(settings: Settings, kind: str, service: str, *, checked: bool = False) -> ServiceNode:
    """Put one process together: `serve` or `work` of a service (or `offline`, for one command on the database).

    `checked`: what was lost of the log is known, and about to be accepted.
    """
    prepare_places(settings)
    worker, in_flight = f"{kind}-{service}-{secrets.token_hex(4)}", InFlightCalls()
    with ExitStack() as opened:
        mongo = database_to_write(settings, opened, checked=checked)
        membership = Membership(mongo, worker, in_flight=in_flight.correlations, kind=kind)
        membership.start()
        opened.callback(membership.stop)
        sweep(scratch_of(settings), membership)
        stores = open_stores(settings, worker, opened, mongo)
        application, launcher = application_of(settings, stores, worker, scratch_of(settings) / worker, is_installed)
        opened.callback(launcher.close)
        journal = ArchivedJournal(stores.communications, worker, checked_key(settings, stores))
        backend = backend_in(settings, stores, application, membership, in_flight)
        return ServiceNode(
            service=service,
            application=application,
            backend=backend,
            launcher=launcher,
            journal=journal,
            worker=event_worker_in(
                stores, application, journal, membership, KINDS[service] if kind == "work" else NONE
            ),
            settling=settling_in(stores, journal, backend),
            opened=opened.pop_all(),
        )


def checked_key(settings: Settings, stores: DistributedStores) -> str:
    """Return the master key's fingerprint; raises BadInputError where the database was begun with another one."""
    key = fingerprint(master_key(settings, stores.store))
    check_master_key(stores.mongo, key)
    return key


def settling_in(stores: DistributedStores, journal: ArchivedJournal, backend: Backend) -> Settling:
    """Return what looks for commits without a call; those that are in flight in any process will have theirs."""

    def in_flight() -> list[str]:
        return [*backend.in_flight.correlations(), *backend.in_flight_elsewhere()]

    return Settling(stores.store, stores.feed, stores.communications, journal, in_flight)


def backend_in(
    settings: Settings,
    stores: DistributedStores,
    application: Application,
    membership: Membership,
    in_flight: InFlightCalls,
) -> Backend:
    """Return what the routes may use; faults, lags and calls in flight are those of all processes."""
    dependencies, adoptions = Dependencies(stores.mongo, membership), Adoptions(stores.mongo)
    return backend_of(
        settings,
        stores,
        application,
        ProcessInspector(environment(settings), lambda generation: adoptions.request(int(generation))),
        MongoRequestIds(stores.mongo, application.ports.worker, membership.is_alive),
        fault=dependencies.fault,
        gauges=dependencies.gauges,
        hurried=hurried,
        in_flight=in_flight,
        in_flight_elsewhere=lambda: membership.in_flight_elsewhere(IN_FLIGHT_SECONDS),
    )


def event_worker_in(
    stores: DistributedStores,
    application: Application,
    journal: ArchivedJournal,
    membership: Membership,
    kinds: frozenset[str],
) -> EventWorker:
    """Return the event worker of a process: a task is lost when its process is gone."""
    return EventWorker(
        application,
        stores.topic,
        UnfinishedTasks(stores.documents, stores.feed),
        journal,
        is_lost=lambda name: not membership.is_alive(name),
        kinds=kinds,
    )


def sweep(scratch: Path, membership: Membership) -> None:
    """Remove the scratch folders of processes that are dead."""
    for folder in scratch.iterdir():
        if PROCESS.fullmatch(folder.name) and not membership.is_alive(folder.name):
            discard(folder)


@contextmanager
def fresh_documents(settings: Settings, projection: str | None) -> Iterator[tuple[str, ProjectorDocuments]]:
    """Make the next generation, to rebuild a projection in, or all (None); yields its number and its documents."""
    with ExitStack() as opened:
        fresh = ReadModels.fresh(open_database(settings, opened, seconds=None), projection)
        yield str(fresh.number), ProjectorDocuments(fresh)
