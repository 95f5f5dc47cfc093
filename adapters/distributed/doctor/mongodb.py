"""What `doctor` asks MongoDB. Each function returns what it found, or raises what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.errors import OperationFailure

from adapters.distributed.deployment import check_deployment
from adapters.distributed.disk_reserve import DiskReserve
from adapters.distributed.doctor.rights import enough_on_mongodb
from adapters.distributed.installation import refuse_unfinished_recovery
from adapters.distributed.membership.dependencies import Dependencies
from adapters.distributed.membership.membership import Membership
from adapters.distributed.mongo import Mongo, as_ours
from domain.errors import NotAbleError

MAX_CLOCK_SKEW: Final = timedelta(seconds=5)  # a token is valid for 60 s by both clocks


def deployment(mongo: Mongo) -> str:
    """Return version and replica set."""
    check_deployment(mongo, make=False)
    with as_ours():
        hello, version = mongo.client.admin.command("hello"), mongo.client.server_info()["version"]
    members = hello.get("hosts", [])
    return f"MongoDB {version}, {_replica_set(hello)} of {len(members)} member{'s' * (len(members) != 1)}"


def members(mongo: Mongo) -> str:
    """Return how many members are healthy; raises NotAbleError where one is not."""
    try:
        with as_ours():
            found = mongo.client.admin.command("replSetGetStatus")["members"]
    except NotAbleError as refused:
        if isinstance(refused.__cause__, OperationFailure):
            return "not shown to this user"  # it needs clusterMonitor
        raise
    if down := [str(it["name"]) for it in found if it.get("health") != 1]:
        raise NotAbleError(f"Members of the replica set that do not answer: {', '.join(down)}. Bring them back.")
    return f"all {len(found)} answer" if len(found) > 1 else "1: the data is lost with its disk"


def rights(mongo: Mongo) -> str:
    """Return which roles the user has rights enough for; raises ForbiddenError where for none."""
    with as_ours():
        who = mongo.client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
    if not who["authenticatedUsers"]:
        return "no user: the server lets anybody read and write"
    return enough_on_mongodb(who["authenticatedUserPrivileges"], mongo.name)


def clock(mongo: Mongo) -> str:
    """Compare this machine's clock with the server's."""
    before = datetime.now(UTC)
    with as_ours():
        there = mongo.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    after = datetime.now(UTC)
    apart = max(before - there, there - after, timedelta())
    if apart > MAX_CLOCK_SKEW:
        raise NotAbleError(
            f"The clocks of this machine and of MongoDB's are {apart.total_seconds():.1f} s apart: let NTP set both."
        )
    return f"within {max(apart, timedelta(seconds=0.1)).total_seconds():.1f} s of MongoDB's"


def disk(mongo: Mongo, reserve: int) -> str:
    """Return how much is free on the server's disk; raises DiskReserveError below the reserve."""
    watched = DiskReserve(mongo, reserve)
    watched.check()
    free = watched.free_on_server()
    return "the server does not say" if free is None else f"{free / 2**30:.1f} GiB free on MongoDB's disk"


def processes(mongo: Mongo) -> str:
    """Return which processes live; raises NotAbleError where one of those that should follow the log does not."""
    refuse_unfinished_recovery(mongo)
    membership = Membership(mongo, "doctor")
    kinds = [process.kind for process in membership.alive().values()]
    if not kinds:
        return "none runs"
    if fault := Dependencies(mongo, membership).fault():
        raise NotAbleError(fault)
    return ", ".join(f"{kind}: {kinds.count(kind)}" for kind in sorted(set(kinds)))


def _replica_set(hello: dict[str, Any]) -> str:
    return f"replica set {hello['setName']}" if "setName" in hello else "a sharded cluster"
