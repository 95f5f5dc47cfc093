"""Request ids in the distributed mode: a document each, made before the command runs, and gone after a while."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from adapters.audit_log.request_ids import KEPT_SECONDS, Earlier, FirstAnswer, Trace, intact, key_of
from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import (
    BYTES,
    OPTIONAL_TEXT,
    TIME,
    DocumentFormat,
    NeverWrittenError,
    Shape,
    faults_of,
)
from adapters.distributed.mongo import Fields, Mongo, as_ours

REQUESTS: Final = "requests"
COLLECTION: Final = CollectionSpec(REQUESTS, [IndexModel("at", expireAfterSeconds=KEPT_SECONDS)])
SHAPE: Final = Shape("[0-9a-f]{64}", {"at": TIME, "owner": OPTIONAL_TEXT}, {"answer": BYTES, "hash": BYTES})


class MongoRequestIds:
    """Request ids as one process, `worker`, sees them; `is_alive` says of the others whether they are still there."""

    def __init__(self, mongo: Mongo, worker: str, is_alive: Callable[[str], bool]) -> None:
        self._requests, self._worker, self._is_alive = mongo.collection(REQUESTS), worker, is_alive
        COLLECTION.ensure(mongo)

    def claim(self, client: str, request_id: str) -> bool:
        fresh = {"_id": _id(client, request_id), "at": datetime.now(UTC), "owner": self._worker}
        with as_ours():
            try:
                self._requests.insert_one(fresh)
            except DuplicateKeyError:
                return False
        return True

    def earlier(self, client: str, request_id: str) -> Earlier | None:
        """Return what is known of the first use; what a dead process had begun and not answered is taken over."""
        with as_ours():
            found = self._requests.find_one({"_id": _id(client, request_id)})
        if found is None:
            return None if self.claim(client, request_id) else Earlier(is_running=True)
        if "answer" in found:
            return Earlier(is_running=False, answer=None if _fault(found) else intact(found["answer"]))
        owner = found["owner"]
        if owner is None or self._is_alive(owner):
            return Earlier(is_running=owner is not None)
        with as_ours():
            taken = self._requests.update_one({"_id": found["_id"], "owner": owner}, {"$set": {"owner": self._worker}})
        return None if taken.modified_count else Earlier(is_running=True)

    def keep(self, client: str, request_id: str, answer: FirstAnswer) -> None:
        key, stored = _id(client, request_id), answer.stored()
        answered = {"owner": None, "answer": stored, "hash": _hash(key, stored)}
        with as_ours():
            self._requests.update_one({"_id": key, "owner": self._worker}, {"$set": answered})

    def release(self, client: str, request_id: str, trace: Trace) -> None:
        """End the claim; nothing is left to do if the log or a kept answer can answer a repeat."""
        if trace is Trace.ANSWERABLE:
            return
        mine = {"_id": _id(client, request_id), "owner": self._worker}
        with as_ours():
            if trace is Trace.UNANSWERABLE:
                self._requests.update_one(mine, {"$set": {"owner": None}})
            else:
                self._requests.delete_one(mine)


def request_faults(mongo: Mongo) -> Iterator[str]:
    """Name documents that are not as they were stored; there are none before the first start of this version."""
    with as_ours():
        is_there = bool(mongo.database.list_collection_names(filter={"name": REQUESTS}))
    if is_there:
        yield from COLLECTION.faults(mongo)
        yield from faults_of(mongo.collection(REQUESTS), DocumentFormat("use of a request id", _rewritten))


def _rewritten(stored: Fields) -> Iterator[Fields]:
    if fault := _fault(stored):
        raise NeverWrittenError(fault)
    yield stored


def _fault(stored: Fields) -> str | None:
    if not re.fullmatch(SHAPE.id, str(stored.get("_id"))):
        return "no request has such an _id"
    if fault := SHAPE.fault(stored):
        return fault
    answer = stored.get("answer", b"")
    fits = not answer or stored.get("hash") == _hash(stored["_id"], answer)
    return None if fits else "its answer was changed"


def _hash(key: str, answer: bytes) -> bytes:
    return sha256(key.encode() + answer).digest()


def _id(client: str, request_id: str) -> str:
    return key_of(client, request_id).hex()
