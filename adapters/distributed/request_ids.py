"""Request ids in the distributed mode: a document each, made before the command runs, and gone after a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from bson import Binary
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from adapters.distributed.mongo import Mongo, as_ours
from adapters.request_ids import KEPT_SECONDS, Earlier, FirstAnswer, Trace, intact, key_of

REQUESTS: Final = "requests"
EXPIRY: Final = IndexModel("at", expireAfterSeconds=KEPT_SECONDS)


class MongoRequestIds:
    """Request ids as one process, `worker`, sees them; `is_alive` says of the others whether they are still there."""

    def __init__(self, mongo: Mongo, worker: str, is_alive: Callable[[str], bool]) -> None:
        self._requests, self._worker, self._is_alive = mongo.collection(REQUESTS), worker, is_alive
        with as_ours():
            self._requests.create_indexes([EXPIRY])

    def claim(self, client: str, request_id: str) -> bool:
        """Take a request id for the first time."""
        fresh = {"_id": _id(client, request_id), "at": datetime.now(UTC), "owner": self._worker}
        try:
            with as_ours():
                self._insert(fresh)
        except _UsedError:
            return False
        return True

    def earlier(self, client: str, request_id: str) -> Earlier | None:
        """Return what is known of the first use; what a dead process had begun and not answered is taken over."""
        with as_ours():
            found = self._requests.find_one({"_id": _id(client, request_id)})
        if found is None:
            return None if self.claim(client, request_id) else Earlier(is_running=True)
        if "answer" in found:
            return Earlier(is_running=False, answer=intact(found["answer"]))
        owner = found["owner"]
        if owner is None or self._is_alive(owner):
            return Earlier(is_running=owner is not None)
        with as_ours():
            taken = self._requests.update_one({"_id": found["_id"], "owner": owner}, {"$set": {"owner": self._worker}})
        return None if taken.modified_count else Earlier(is_running=True)

    def keep(self, client: str, request_id: str, answer: FirstAnswer) -> None:
        """Keep the first answer."""
        told = {"answer": Binary(answer.stored()), "owner": None}
        with as_ours():
            self._requests.update_one({"_id": _id(client, request_id), "owner": self._worker}, {"$set": told})

    def release(self, client: str, request_id: str, trace: Trace) -> None:
        """End the claim; what the log or a kept answer tells needs no word of its own."""
        if trace is Trace.TOLD:
            return
        mine = {"_id": _id(client, request_id), "owner": self._worker}
        with as_ours():
            if trace is Trace.UNTOLD:
                self._requests.update_one(mine, {"$set": {"owner": None}})
            else:
                self._requests.delete_one(mine)

    def _insert(self, document: dict[str, Any]) -> None:
        try:
            self._requests.insert_one(document)
        except DuplicateKeyError:
            raise _UsedError from None


class _UsedError(Exception):
    """The document is there already."""


def _id(client: str, request_id: str) -> str:
    return key_of(client, request_id).hex()
