"""What `doctor` looks at in the distributed mode: MongoDB, the installation in it, then Kafka and both topics."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.doctor import mongodb
from adapters.distributed.doctor.kafka import Brokers
from adapters.distributed.installation import last_backup, noted_master_key
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.topics import topics_of
from server.compose.distributed import find_loss, refuse_loss
from server.compose.doctor import check_key
from server.doctor import Checks, age_of_backup
from server.settings import Settings


def checks_of_servers(settings: Settings, opened: ExitStack) -> Checks:
    """Return the checks; those of a server that does not answer are left out after the one that says so."""
    mongo = list[Mongo]()
    yield "MongoDB", lambda: _open_mongo(settings, opened, mongo)
    for it in mongo:
        yield "MongoDB's members", partial(mongodb.members, it)
        yield "MongoDB's rights", partial(mongodb.rights, it)
        yield "MongoDB's clock", partial(mongodb.clock, it)
        yield "MongoDB's disk", partial(mongodb.disk, it, settings.reserve)
        yield "log", partial(_log, it)
        yield "master key", partial(_key, settings, it)
        yield "last back-up", lambda: age_of_backup(last_backup(it))  # noqa: B023 - there is one at most
        yield "processes", partial(mongodb.processes, it)
    brokers = list[Brokers]()
    yield "Kafka", lambda: _open_brokers(settings, brokers)
    events, communications = topics_of(settings.database)
    for cluster in brokers:
        yield "Kafka's rights", partial(cluster.rights, (events, communications))
        yield events, partial(cluster.topic, events, settings.replication)
        yield communications, partial(cluster.topic, communications, settings.replication)
        for it in mongo:
            yield f"end of {events}", partial(cluster.end, it, EVENT_LOG)
            yield f"end of {communications}", partial(cluster.end, it, AUDIT_LOG)


def _open_mongo(settings: Settings, opened: ExitStack, found: list[Mongo]) -> str:
    """Return what answers, and keep it for the checks that follow."""
    mongo = Mongo(settings.mongodb, settings.database, password_file=settings.mongodb_password_file)
    opened.callback(mongo.close)
    told = mongodb.deployment(mongo)
    found.append(mongo)
    return told


def _open_brokers(settings: Settings, found: list[Brokers]) -> str:
    brokers = Brokers(settings.kafka)
    told = brokers.cluster()
    found.append(brokers)
    return told


def _log(mongo: Mongo) -> str:
    if not MongoFeed(mongo).end()[0]:
        return "none yet: the first start begins it"
    refuse_loss(mongo)
    loss = find_loss(mongo)
    return f"log at position {loss.log.end.position}, audit log at {loss.audit.end.position}"


def _key(settings: Settings, mongo: Mongo) -> str:
    known = noted_master_key(mongo)
    return check_key(settings.key_file, known, begun=known is not None)
