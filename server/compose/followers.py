"""The roles `relay` and `project` put together: works that one process has in charge, and others stand by for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.installation import installation_id
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.membership.dependencies import lag_of, log_lost, relay_gauges, topic_remark
from adapters.distributed.membership.leases import Leases
from adapters.distributed.membership.standby import LEASE_SECONDS, Standby, Turn
from adapters.distributed.membership.status import AUDIT_LOG_RELAY, LOG_RELAY, PROJECTION, Statuses
from adapters.distributed.mongo import Mongo, short_timeout
from adapters.distributed.projection.projector import Projector
from adapters.distributed.projection.read_model_store import ReadModelStore
from adapters.distributed.relay.relaying import Relaying
from adapters.distributed.topics.feed import KafkaFeed
from adapters.host.background import BackgroundThread
from adapters.http.metrics import Measured
from adapters.http.routes.process_health import ProcessHealth
from server.roles import Roles
from server.settings import Settings

Gauges = Callable[[Mongo, Statuses], Mapping[str, float]]
WORKS = {LOG_RELAY: "log-relay", AUDIT_LOG_RELAY: "audit-log-relay", PROJECTION: "projection"}  # for `in_charge`


def open_followers(
    settings: Settings, roles: Roles, mongo: Mongo, read_models: ReadModelStore, *, name: str, opened: ExitStack
) -> tuple[list[BackgroundThread], list[ProcessHealth]]:
    """Return the works of a process called `name`, and how they are; `opened` closes what they read."""
    leases, works, health = Leases(mongo, LEASE_SECONDS), list[BackgroundThread](), list[ProcessHealth]()

    def add(kind: str, turns: Mapping[str, Turn], gauges: Gauges) -> None:
        standbys = {work: Standby(leases, work, name, turn) for work, turn in turns.items()}
        works.extend(BackgroundThread(standby.run, "standby") for standby in standbys.values())
        health.append(health_of(kind, mongo, standbys, gauges))

    if roles.relay:
        logs: dict[str, MongoLogSchema[Any]] = {LOG_RELAY: EVENT_LOG, AUDIT_LOG_RELAY: AUDIT_LOG}
        relays = {it: _relaying(settings, mongo, log, it) for it, log in logs.items()}
        add(LOG_RELAY, {it: relaying.turn for it, relaying in relays.items()}, relay_gauges)
    if roles.project:
        topic = KafkaFeed(settings.kafka, settings.database, installation_id(mongo))
        opened.callback(topic.close)
        projector = Projector(mongo, topic, read_models)
        add(PROJECTION, {PROJECTION: projector.turn}, partial(projection_gauges, read_models))
    return works, health


def _relaying(settings: Settings, mongo: Mongo, log: MongoLogSchema[Any], work: str) -> Relaying:
    return Relaying(settings.kafka, mongo, installation_id(mongo), log, work, replication=settings.replication)


def health_of(kind: str, mongo: Mongo, works: Mapping[str, Standby], gauges: Gauges) -> ProcessHealth:
    """Return how a process with these works is."""
    statuses, log = Statuses(mongo), MongoFeed(mongo)

    def measure() -> Measured:
        in_charge = {WORKS[name]: work.in_charge for name, work in works.items()}
        return {"in_charge": in_charge, "log_position": log.end()[0], **gauges(mongo, statuses)}

    return ProcessHealth(
        kind,
        fault=partial(fault_of, works, mongo, statuses),
        measure=measure,
        short_timeout=short_timeout,
        remark=partial(topic_remark, statuses),
    )


def projection_gauges(read_models: ReadModelStore, mongo: Mongo, _: Statuses) -> Mapping[str, float]:
    """Return how far the read models are, whether anybody folds or not, and behind the log."""
    position = read_models.documents.position()
    lag, seconds = lag_of(MongoFeed(mongo), position)
    return {"projection_position": position, "projection_lag_events": lag, "projection_lag_seconds": seconds}


def fault_of(works: Mapping[str, Standby], mongo: Mongo, statuses: Statuses) -> str | None:
    """Return what stops a work: here, or in the process that is in charge of it, or was until it passed it on."""
    here = (work.fault for work in works.values())
    in_charge = (statuses.read(name).get(kind) for name in works for kind in ("fault", "outage"))
    return next((fault for fault in chain(here, in_charge) if fault), None) or log_lost(mongo, statuses)
