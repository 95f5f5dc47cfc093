"""Whether a MongoDB can carry an installation: its version, its replica set, and the rights of our user there."""

from __future__ import annotations

from typing import Any, Final

from pymongo.errors import PyMongoError

from adapters.distributed.installation import installation_id, unfinished_recovery
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.mongo_reasons import is_denied, reason_of, short_text
from domain.errors import BadInputError, ForbiddenError, NotAbleError

OLDEST: Final = (6, 0)
ROUTER: Final = "isdbgrid"
NOT_INITIATED: Final = "isreplicaset"  # what mongod --replSet says until somebody has called rs.initiate()


def check_deployment(mongo: Mongo, *, make: bool = True) -> None:
    """Raise NotAbleError where no MongoDB answers, BadInputError where it cannot carry an installation.

    ForbiddenError where it does not know the user, or lets it do nothing.
    With `make` a new installation gets its id; ConflictError as `installation_id`.
    """
    where = f"AUTOLEARN_MONGODB ({_hosts(mongo)})"
    try:
        if wrong := unfit(_describe(mongo), _version(mongo)):
            raise BadInputError(f"{where} {wrong}")
        if make:
            installation_id(mongo)
        else:
            unfinished_recovery(mongo)  # a read, which shows whether this user may
    except NotAbleError as error:
        raise _refused(where, error) from error


def _describe(mongo: Mongo) -> dict[str, Any]:
    """Return how the server describes itself; raises NotAbleError for one that is still to become a replica set."""
    with as_ours():
        hello: dict[str, Any] = mongo.client.admin.command("hello")
    if hello.get(NOT_INITIATED):
        raise NotAbleError("its replica set was not initiated yet, call rs.initiate() once")
    return hello


def _version(mongo: Mongo) -> list[int]:
    with as_ours():
        return list(mongo.client.server_info()["versionArray"])


def unfit(hello: dict[str, Any], version: list[int]) -> str | None:
    """Return what is wrong with a server that describes itself so; None where it fits."""
    if tuple(version[:2]) < OLDEST:
        return f"is version {'.'.join(map(str, version[:3]))} of MongoDB, and 6.0 or later is needed."
    if "setName" not in hello and hello.get("msg") != ROUTER:
        return "is not a replica set: start mongod with --replSet and call rs.initiate() once; one node is enough."
    return None


def _refused(where: str, error: NotAbleError) -> ForbiddenError | NotAbleError:
    cause = error.__cause__
    if is_denied(cause):
        return ForbiddenError(error.sentence)
    if not isinstance(cause, PyMongoError) or reason_of(cause) is not None:
        return error
    return NotAbleError(f"{where}: no MongoDB there takes writes: {short_text(cause)}.")


def _hosts(mongo: Mongo) -> str:
    """Return the servers' names; never the whole URI, which may hold a password."""
    servers = mongo.client.topology_description.server_descriptions()
    return ", ".join(sorted(f"{host}:{port}" if port else str(host) for host, port in servers))
