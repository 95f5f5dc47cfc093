"""What an installation has once: its id, the fingerprint of its master key, the mark of an unfinished recovery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import uuid4

from pymongo import DESCENDING, ReturnDocument

from adapters.audit_log.system_records import KEY
from adapters.distributed.audit_log.record_schema import COMMUNICATIONS
from adapters.distributed.log.commit_schema import COMMITS
from adapters.distributed.mongo import Fields, Mongo, as_ours
from domain.errors import BadInputError, ConflictError

INSTALLATION: Final = "installation"
MASTER_KEY: Final = "master-key"
RECOVERY: Final = "recovery"
BACKUP: Final = "backup"
RESTORED: Final = "back-up "  # how the source of a recovery begins that is a restore
ID: Final = re.compile("[0-9a-f]{32}")


def installation_id(mongo: Mongo) -> str:
    """Return the installation's id, 32 hex digits; the first who asks makes it. Raises NotAbleError.

    Nobody makes another one for a log that is there: its topics would be another installation's (ConflictError).
    """
    with as_ours():
        begun = mongo.collection(COMMITS).find_one({}, {"_id": 1}) is not None  # asked first: the id is older
        stored = mongo.collection(INSTALLATION).find_one({"_id": INSTALLATION})
    if begun and stored is None:
        raise ConflictError(
            f"The database {mongo.name!r} has a log, but the installation's id is gone: put it back as "
            f"{{_id: {INSTALLATION!r}, id: …}} into the collection {INSTALLATION}; `ce_source` of each Kafka record "
            "ends with it."
        )
    return str(stored["id"]) if stored else _once(mongo, INSTALLATION, "id", uuid4().hex)


def check_master_key(mongo: Mongo, fingerprint: str) -> None:
    """Raise BadInputError where the installation was begun with another master key; the first one is noted."""
    if _once(mongo, MASTER_KEY, "fingerprint", fingerprint) != fingerprint:
        raise BadInputError(
            f"The master key (AUTOLEARN_MASTER_KEY_FILE) does not fit the database {mongo.name!r}: "
            "its clients' keys were made from another one. Give every process the same file; `autolearn doctor` tells"
            " both fingerprints."
        )


def installation_faults(mongo: Mongo) -> Iterator[str]:
    """Yield where what the installation has once is gone, is not what the audit log says, or should be gone."""
    with as_ours():
        known = {it["_id"]: it for it in mongo.collection(INSTALLATION).find()}
        begun = mongo.collection(COMMITS).find_one({}, {"_id": 1}) is not None
    id_, key, stored = known.get(INSTALLATION), known.get(MASTER_KEY), recorded_master_key(mongo)
    if begun and not (id_ and ID.fullmatch(str(id_.get("id")))):
        yield "the installation has no id any more: `ce_source` of each Kafka record ends with it"
    if stored is not None and (not key or key.get("fingerprint") != stored):
        yield f"the master key noted for the installation is not that of the audit log, which is {stored}"
    if RECOVERY in known:  # what is appended then may be beyond what it brings back
        yield "a recovery is unfinished, or the mark of one was set by hand: no process starts on this database"


def recorded_master_key(mongo: Mongo) -> str | None:
    """Return the fingerprint of the key that the process had which started last; None in audit logs without one."""
    with_key = {"kind": "process", "causation": {"$regex": f"^{KEY}"}}
    with as_ours():
        found = mongo.collection(COMMUNICATIONS).find_one(with_key, {"causation": 1}, sort=[("_id", DESCENDING)])
    return str(found["causation"]).removeprefix(KEY) if found else None


def noted_master_key(mongo: Mongo) -> str | None:
    """Return the fingerprint of the master key that the installation was begun with; None before the first start."""
    with as_ours():
        noted = mongo.collection(INSTALLATION).find_one({"_id": MASTER_KEY})
    return None if noted is None else str(noted["fingerprint"])


def note_backup(mongo: Mongo, at: datetime, position: int) -> None:
    """Note when the last back-up was finished, for the metrics."""
    _set(mongo, BACKUP, {"at": at, "position": position})


def last_backup(mongo: Mongo) -> datetime | None:
    """Return when the last back-up was finished; None where there was none."""
    with as_ours():
        noted = mongo.collection(INSTALLATION).find_one({"_id": BACKUP})
    at = noted and noted.get("at")
    return at if isinstance(at, datetime) else None


def set_installation_id(mongo: Mongo, id: str) -> None:
    _set(mongo, INSTALLATION, {"id": id})


def set_master_key(mongo: Mongo, fingerprint: str) -> None:
    _set(mongo, MASTER_KEY, {"fingerprint": fingerprint})


def unfinished_recovery(mongo: Mongo) -> str | None:
    """Return what a recovery that began, and did not end, brings back: the `ce_source` of its records."""
    with as_ours():
        begun = mongo.collection(INSTALLATION).find_one({"_id": RECOVERY})
    return str(begun["source"]) if begun else None


def begin_recovery(mongo: Mongo, source: str) -> None:
    """Note in the database that a recovery has begun; until `end_recovery` nothing may be appended."""
    _set(mongo, RECOVERY, {"source": source})


def end_recovery(mongo: Mongo) -> None:
    with as_ours():
        mongo.collection(INSTALLATION).delete_one({"_id": RECOVERY})


def refuse_unfinished_recovery(mongo: Mongo) -> None:
    """Raise ConflictError where a recovery was interrupted: an append now would not be the log that Kafka has."""
    source = unfinished_recovery(mongo)
    if source is not None and source.startswith(RESTORED):
        raise ConflictError(
            f"A restore of the {source} into {mongo.name!r} was interrupted: call `autolearn restore` again."
        )
    if source is not None:
        raise ConflictError(
            f"The recovery of {mongo.name!r} was interrupted: `autolearn recover --from-kafka` goes on with it, "
            "and where a topic is damaged, its options `--until` and `--communications-until` end it before that."
        )


def _set(mongo: Mongo, document: str, fields: Fields) -> None:
    with as_ours():
        mongo.collection(INSTALLATION).update_one({"_id": document}, {"$set": fields}, upsert=True)


def _once(mongo: Mongo, document: str, field: str, value: str) -> str:
    """Store the first value that anybody gives, and return the stored one."""
    documents = mongo.collection(INSTALLATION)
    with as_ours():
        stored = documents.find_one({"_id": document}) or documents.find_one_and_update(
            {"_id": document}, {"$setOnInsert": {field: value}}, upsert=True, return_document=ReturnDocument.AFTER
        )
    return str((stored or {})[field])
