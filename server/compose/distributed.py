"""The distributed mode put together: MongoDB orders and answers, Kafka carries; any number of processes of a kind."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from adapters.audit_log.in_flight_calls import InFlightCalls
from adapters.audit_log.system_records import SystemRecorder
from adapters.distributed.audit_log.request_ids import MongoRequestIds
from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.deployment import check_deployment
from adapters.distributed.installation import (
    check_master_key,
    installation_id,
    last_backup,
    refuse_unfinished_recovery,
)
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.dependencies import Dependencies
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.mongo import OPERATION_SECONDS, Mongo, short_timeout
from adapters.distributed.projection.adoption import Adoptions
from adapters.distributed.projection.read_model_store import ReadModelStore
from adapters.distributed.read_models.store import MongoReadModelStore
from adapters.distributed.recovery.comparison import TopicComparison
from adapters.distributed.recovery.first_start import check_start, is_first_start
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics
from adapters.distributed.verification.database_checks import database_checks
from adapters.distributed.verification.topic_copy import TopicCopy
from adapters.host.private_files import discard
from adapters.security.keys import fingerprint
from adapters.tasks.launcher import ProcessLauncher, is_installed
from domain.errors import NotAbleError
from projections.ports import Documents
from projections.verification.tail_check import PositionClaim
from server.compose.folders import prepare_places, scratch_of
from server.compose.followers import open_followers
from server.compose.http import health_of_work, serve_calls, serve_health
from server.compose.loss_check import LossCheck, check_claims
from server.compose.services import Services, check_blobs, make_launcher, make_services
from server.compose.stores import Stores, backup_gauges, environment, master_key, open_blobs
from server.inspection.process import ProcessInspector
from server.roles import NONE, Roles
from server.runner import Follower, Runner
from server.settings import Settings

# As `process_name` makes it.
PROCESS: Final = re.compile(r"((serve|work|offline)-[a-z]+|up)-[0-9a-f]{8}")
IN_FLIGHT_SECONDS = 10.0
OVERRIDE_COMMAND: Final = "autolearn recover --accept-loss REASON"
RESTORE: Final = (
    "If Kafka has it, stop all processes, drop the database and call `autolearn recover --from-kafka`; "
    "else restore the back-up that has it."
)


@dataclass(kw_only=True)
class DistributedStores(Stores):
    """The stores of an installation, and the database that they are in."""

    mongo: Mongo


def open_database(
    settings: Settings, opened: ExitStack, *, seconds: float | None = OPERATION_SECONDS, make: bool = True
) -> Mongo:
    """Open the database and look at whether it can carry a log; `opened` closes it.

    `make`: the id of a new installation; else nothing is written.
    """
    file = settings.mongodb_password_file
    mongo = Mongo(settings.mongodb, settings.database, seconds=seconds, password_file=file)
    opened.callback(mongo.close)
    check_deployment(mongo, make=make)
    return mongo


def open_read_models(mongo: Mongo) -> ReadModelStore:
    """Return the store of the read models; only this function names its class."""
    return MongoReadModelStore(mongo)


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
    follower_feed = KafkaFeed(settings.kafka, settings.database, installation)
    opened.callback(follower_feed.close)
    read_models, store = open_read_models(mongo), MongoEventStore(mongo, make=not read_only)
    audit_log = MongoAuditLog(mongo, worker, settings.reserve, settings.data, make=not read_only)
    return DistributedStores(
        store=store,
        stream_names=store.streams,
        feed=feed,
        follower_feed=follower_feed,
        documents=read_models.documents,
        history=read_models.history,
        audit_log=audit_log,
        blobs=open_blobs(settings, scratch),
        file_checks=(*database_checks(mongo), *read_models.checks),
        topics=TopicCopy(settings.kafka, settings.database, origin(settings.database, installation)),
        mongo=mongo,
    )


def find_loss(mongo: Mongo) -> LossCheck:
    """Return the ends of log and audit log, held against each other, the read models and what the relays had carried.

    Other processes may append meanwhile: what tells of an end is read before the end.
    """
    statuses = Statuses(mongo)
    relayed, carried = (int(statuses.read(work).get("position") or 0) for work in (LOG_RELAY, AUDIT_LOG_RELAY))
    folded = open_read_models(mongo).documents.position()
    return check_claims(
        MongoEventStore(mongo, make=False),
        MongoFeed(mongo),
        MongoAuditLog(mongo, "start", make=False),
        of_log=[
            PositionClaim("the read models are at", folded),
            PositionClaim("the relay had carried the log to", relayed),
        ],
        of_audit=[PositionClaim("the relay had carried the audit log to", carried)],
    )


def refuse_loss(mongo: Mongo) -> None:
    """Raise ConflictError where log or audit log have lost their end, or do not belong together."""
    find_loss(mongo).refuse_loss(override_command=OVERRIDE_COMMAND, restore=RESTORE)


def compare_topics(settings: Settings, roles: Roles, mongo: Mongo) -> TopicComparison:
    """Compare the log with its topics; raises what `check_start` does.

    A process that only serves needs no Kafka for it, unless it is the first start: it answers queries, and accepts
    commands once the comparison was made.
    """
    comparison = TopicComparison(partial(check_start, mongo, settings.kafka, settings.replication))
    try:
        comparison.make()
    except NotAbleError:
        if not roles.serve or roles.work or roles.relay or roles.project or is_first_start(mongo):
            raise
    return comparison


def open_runner(settings: Settings, roles: Roles, *, checked: bool = False) -> Runner:
    """Put a process of these roles together; raises where MongoDB cannot be used, or Kafka by those who need it.

    `checked`: what was lost of the log is known, and about to be accepted.
    """
    has_services, comparison = bool(roles.serve or roles.work) or roles == NONE, None
    with ExitStack() as opened:
        mongo = open_database(settings, opened)
        refuse_unfinished_recovery(mongo)
        if has_services:
            prepare_places(settings)
        if not checked:
            comparison = compare_topics(settings, roles, mongo) if has_services else None
            refuse_loss(mongo)
        name, in_flight = process_name(roles), InFlightCalls()
        if roles.relay or roles.project:
            ensure_topics(settings.kafka, settings.database, settings.replication)
        membership = Membership(mongo, name, in_flight=in_flight.correlations, kind=kind_of(roles))
        membership.start()
        opened.callback(membership.stop)
        works, health = open_followers(settings, roles, mongo, open_read_models(mongo), name=name, opened=opened)
        if not has_services:
            return Runner(settings, None, None, works, serve_health(settings, health), opened.pop_all())
        process = Process(settings, roles, mongo, name, membership, in_flight, comparison)
        launcher, services = open_services(process, opened)
        followers: list[Follower] = [*works, *([comparison] if comparison else [])]
        if "storage" in roles.serve:  # one of an installation is enough to look for lost calls
            followers.append(services.lost_calls)
        if roles.serve:
            serve = serve_calls(settings, services)
        else:
            work = health_of_work(services, MongoFeed(mongo).end, short_timeout)
            serve = serve_health(settings, [work, *health])
        return Runner(settings, services, launcher, followers, serve, opened.pop_all())


@dataclass(frozen=True)
class Process:
    """A process as the others know it; `comparison`: of log and topics, None where it was left out."""

    settings: Settings
    roles: Roles
    mongo: Mongo
    name: str
    membership: Membership
    in_flight: InFlightCalls
    comparison: TopicComparison | None


def open_services(process: Process, opened: ExitStack) -> tuple[ProcessLauncher, Services]:
    """Put together what answers calls and does tasks; faults, lags and calls in flight are those of all processes."""
    settings, mongo, name, membership = process.settings, process.mongo, process.name, process.membership
    sweep(scratch_of(settings), membership)
    stores = open_stores(settings, name, opened, mongo)
    master = checked_key(settings, stores)
    check_blobs(stores.blobs)
    launcher = make_launcher(settings, scratch_of(settings) / name, stores.blobs, is_installed)
    opened.callback(launcher.close)
    dependencies, adoptions = Dependencies(mongo, membership), Adoptions(mongo)
    comparison = process.comparison
    return launcher, make_services(
        settings,
        stores,
        process.roles,
        name=name,
        master=master,
        launcher=launcher,
        inspector=ProcessInspector(environment(settings), lambda generation: adoptions.request(int(generation))),
        request_ids=MongoRequestIds(mongo, name, membership.is_alive),
        recorder=SystemRecorder(stores.audit_log, name, fingerprint(master)),
        is_lost=lambda other: not membership.is_alive(other),
        fault=lambda: (comparison and comparison.fault) or dependencies.fault(),
        check_commands=comparison.require if comparison else lambda: None,
        gauges=lambda: {**dependencies.gauges(), **backup_gauges(partial(last_backup, mongo))},
        remark=dependencies.remark,
        short_timeout=short_timeout,
        in_flight=process.in_flight,
        in_flight_elsewhere=partial(membership.in_flight_elsewhere, IN_FLIGHT_SECONDS),
    )


def process_name(roles: Roles) -> str:
    """Return the name under which the others know a process: what it does, and eight digits."""
    names = roles.names or ("offline storage",)
    return f"{names[0].replace(' ', '-') if len(names) == 1 else 'up'}-{secrets.token_hex(4)}"


def kind_of(roles: Roles) -> str:
    """Return what the others want to know of it: whether it projects, and with which version."""
    return " ".join(PROJECTION if name == "project" else name.partition(" ")[0] for name in roles.names) or "offline"


def checked_key(settings: Settings, stores: DistributedStores) -> bytes:
    """Return the master key; raises BadInputError where the database was begun with another one."""
    master = master_key(settings, stores.store)
    check_master_key(stores.mongo, fingerprint(master))
    return master


def sweep(scratch: Path, membership: Membership) -> None:
    """Remove the scratch folders of processes that are dead."""
    for folder in scratch.iterdir():
        if PROCESS.fullmatch(folder.name) and not membership.is_alive(folder.name):
            discard(folder)


@contextmanager
def fresh_documents(settings: Settings, projection: str | None) -> Iterator[tuple[str, Documents]]:
    """Make the next generation, to rebuild a projection in, or all (None); yields its number and its documents."""
    with ExitStack() as opened:
        read_models = open_read_models(open_database(settings, opened, seconds=None))
        number, documents = read_models.make_generation(projection)
        yield str(number), documents
