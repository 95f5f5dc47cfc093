"""The rights that each role needs, as docs/rights.md lists them, and which roles a user's rights are enough for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from adapters.distributed.mongo import Fields
from domain.errors import ForbiddenError

EVERY: Final = ""  # collection
READ: Final = frozenset({"find", "listCollections", "listIndexes", "changeStream", "dbStats"})
WRITE: Final = READ | {"insert", "update", "remove", "createCollection", "createIndex"}
STATE: Final = frozenset({"insert", "update", "remove"})
# Without collMod, which `serve`, `work` and `recover` use once per version, they do their work all the same.
OF_MONGODB: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "relay": {
        EVERY: READ,
        **dict.fromkeys(("leases", "presence", "statuses"), STATE),
        "installation": frozenset({"insert", "update"}),
    },
    "project": {EVERY: WRITE | {"dropCollection"}},
    "serve": {EVERY: WRITE | {"dropCollection"}},
    "work": {EVERY: WRITE},
    "recover": {EVERY: WRITE | {"dropCollection"}},
}
# On topics that are there. A right to use a transaction cannot be looked up, nor is one to set what is set needed.
OF_KAFKA: Final[Mapping[str, frozenset[str]]] = {
    "relay": frozenset({"READ", "WRITE", "DESCRIBE_CONFIGS"}),
    "project": frozenset({"READ", "DESCRIBE_CONFIGS"}),
    "serve": frozenset({"READ", "DESCRIBE_CONFIGS"}),
    "work": frozenset({"READ", "DESCRIBE_CONFIGS"}),
    "recover": frozenset({"READ"}),
}


def enough_on_mongodb(privileges: Iterable[Fields], database: str) -> str:
    """Return which roles a user's privileges are enough for; raises ForbiddenError where for none."""
    known = list(privileges)

    def lacking(role: str) -> set[str]:
        found = set[str]()
        for collection, actions in OF_MONGODB[role].items():
            covering = [it["actions"] for it in known if _covers(it["resource"], database, collection)]
            allowed = {action for some in covering for action in some}
            found |= set() if "anyAction" in allowed else actions - allowed
        return found

    return _enough(OF_MONGODB, lacking, f"The user of AUTOLEARN_MONGODB, on the database {database!r},")


def enough_on_kafka(allowed: Iterable[frozenset[str]]) -> str:
    """Return which roles the operations are enough for that are allowed on each topic; raises ForbiddenError."""
    common = frozenset.intersection(*allowed, frozenset.union(*OF_KAFKA.values()))
    return _enough(OF_KAFKA, lambda role: set(OF_KAFKA[role] - common), "The user of AUTOLEARN_KAFKA, on the topics,")


def _enough(roles: Iterable[str], lacking: Callable[[str], set[str]], who: str) -> str:
    missing = {role: sorted(lacking(role)) for role in roles}
    if fit := [role for role, some in missing.items() if not some]:
        return f"enough for {', '.join(fit)}"
    nearest = min(missing, key=lambda role: len(missing[role]))
    raise ForbiddenError(
        f"{who} has too few rights for any role. For `{nearest}` it lacks {', '.join(missing[nearest])}: docs/rights.md"
        " lists what each role needs."
    )


def _covers(resource: Fields, database: str, collection: str) -> bool:
    """Whether a privilege's resource has the collection, or each one of the database."""
    if resource.get("anyResource"):
        return True
    return resource.get("db") in {"", database} and resource.get("collection") in {EVERY, collection}
