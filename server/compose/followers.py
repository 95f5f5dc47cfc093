"""The processes `relay` and `project` put together; each is one of several that stand by for each other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.installation import installation_id
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.log.schema import LogSchema
from adapters.distributed.membership.dependencies import COMMUNICATIONS, PROJECT, RELAY, log_lost, relay_gauges
from adapters.distributed.membership.leases import Leases
from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.standby import LEASE_SECONDS, Standby
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo, hurried
from adapters.distributed.read_models.projector import Projector
from adapters.distributed.recovery.mark import refuse_unfinished
from adapters.distributed.relay.relaying import Relaying
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics
from adapters.http.routes.process_health import Vitals
from server.compose.distributed import open_database
from server.compose.distributed_tails import check_ends
from server.follower import Follower
from server.settings import Settings


def open_project(settings: Settings) -> Follower:
    """Put a projection process together; raises where MongoDB or Kafka cannot be used."""
    with ExitStack() as opened:
        mongo, name = present(settings, PROJECT, opened)
        topic = KafkaFeed(settings.kafka, settings.database, installation_id(mongo))
        opened.callback(topic.close)
        work = Standby(Leases(mongo, LEASE_SECONDS), PROJECT, name, Projector(mongo, topic).turn)
        return follower(PROJECT, mongo, {PROJECT: work}, projection_gauges, opened)


def open_relay(settings: Settings) -> Follower:
    """Put a relay of both topics together; raises where MongoDB or Kafka cannot be used."""
    with ExitStack() as opened:
        mongo, name = present(settings, RELAY, opened)
        leases, installation = Leases(mongo, LEASE_SECONDS), installation_id(mongo)
        logs: dict[str, LogSchema[Any]] = {RELAY: EVENT_LOG, COMMUNICATIONS: AUDIT_LOG}
        works = {
            work: Standby(leases, work, name, Relaying(settings.kafka, mongo, installation, schema, work).turn)
            for work, schema in logs.items()
        }
        return follower(RELAY, mongo, works, relay_gauges, opened)


def present(settings: Settings, kind: str, opened: ExitStack) -> tuple[Mongo, str]:
    """Open database and topics, and let the others know that this process lives; return its name."""
    mongo = open_database(settings, opened)
    refuse_unfinished(mongo)
    check_ends(mongo)
    ensure_topics(settings.kafka, settings.database)
    name = f"{kind}-{secrets.token_hex(4)}"
    membership = Membership(mongo, name, kind=kind)
    membership.start()
    opened.callback(membership.stop)
    return mongo, name


def follower(
    kind: str,
    mongo: Mongo,
    works: Mapping[str, Standby],
    gauges: Callable[[Mongo, Statuses], Mapping[str, float]],
    opened: ExitStack,
) -> Follower:
    """Return the process with its vitals."""
    statuses, log = Statuses(mongo), MongoFeed(mongo)

    def measure() -> Mapping[str, float]:
        in_charge = any(work.in_charge for work in works.values())
        return {"in_charge": in_charge, "log_position": log.head()[0], **gauges(mongo, statuses)}

    vitals = Vitals(kind, fault=partial(fault_of, works, mongo, statuses), measure=measure, hurried=hurried)
    return Follower(tuple(works.values()), vitals, opened.pop_all())


def projection_gauges(mongo: Mongo, statuses: Statuses) -> Mapping[str, float]:
    """Return how far the read models are, and behind the log."""
    position = int(statuses.read(PROJECT).get("position", 0))
    return {"projection_position": position, "projection_lag_events": max(MongoFeed(mongo).head()[0] - position, 0)}


def fault_of(works: Mapping[str, Standby], mongo: Mongo, statuses: Statuses) -> str | None:
    """Return what stops a work: here, or in the process that is in charge of it, or was until it passed it on."""
    here = (work.fault for work in works.values())
    in_charge = (statuses.read(name).get(kind) for name in works for kind in ("fault", "outage"))
    return next((fault for fault in chain(here, in_charge) if fault), None) or log_lost(mongo, statuses)
