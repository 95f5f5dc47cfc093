"""What an older version of the projections wrote goes once none of its processes lives, and not before."""

from __future__ import annotations

from adapters.distributed.membership.membership import Membership
from adapters.distributed.membership.status import PROJECTION, Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.upgrade import Upgrade
from adapters.distributed.read_models.generations import ReadModels, serving
from adapters.distributed.read_models.store import MongoReadModelStore
from projections.fold import VERSION


def test_read_models_and_status_of_an_older_version_go(mongo: Mongo) -> None:
    ReadModels.ensure(mongo)
    Statuses(mongo).report(PROJECTION, position=1, fault=None)
    Upgrade(mongo, MongoReadModelStore(mongo), VERSION + 1).look()
    assert serving(mongo) == 0
    assert Statuses(mongo).read(PROJECTION) == {}


def test_those_of_the_own_version_stay(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    Statuses(mongo).report(PROJECTION, position=1, fault=None)
    Upgrade(mongo, MongoReadModelStore(mongo), VERSION).look()
    assert serving(mongo) == read.number
    assert Statuses(mongo).read(PROJECTION)


def test_they_stay_while_any_process_of_the_older_version_lives(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    serve = Membership(mongo, "serve-storage-1", kind="serve")
    serve.start()
    Upgrade(mongo, MongoReadModelStore(mongo), VERSION + 1).look()
    assert serving(mongo) == read.number
    serve.stop()
    Upgrade(mongo, MongoReadModelStore(mongo), VERSION + 1).look()
    assert serving(mongo) == 0


def test_a_process_that_is_not_heard_of_may_come_back(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    serve = Membership(mongo, "serve-storage-1", lease_seconds=0.001, kind="serve")
    serve.start()
    serve._stopping.set()  # killed: it does not leave
    Upgrade(mongo, MongoReadModelStore(mongo), VERSION + 1).look()
    assert serving(mongo) == read.number


def test_it_looks_once_in_a_while(mongo: Mongo) -> None:
    upgrade = Upgrade(mongo, MongoReadModelStore(mongo), VERSION + 1)
    upgrade.look()
    read = ReadModels.ensure(mongo)
    upgrade.look()
    assert serving(mongo) == read.number
