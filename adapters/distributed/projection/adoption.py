"""Rebuilt read models wait for the projection to bring them up to date and let them serve: requests in MongoDB."""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Final

from adapters.distributed.mongo import Fields, Mongo, as_ours
from domain.errors import NotAbleError
from projections.fold import VERSION

LOOK_SECONDS: Final = 0.1


class Adoptions:
    """One request at a time, the last one: {_id: version, generation, done, refusal}."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.collection("adoptions")
        self._id = {"_id": f"v{VERSION}"}

    def request(self, generation: int) -> Future[None]:
        """Ask that a generation may serve; the future ends once it does, or with NotAbleError. It may be cancelled."""
        asked = {"generation": generation, "done": False, "refusal": None}
        with as_ours():
            self._collection.replace_one(self._id, asked, upsert=True)
        answer: Future[None] = Future()
        Thread(target=self._await_answer, args=(generation, answer), name="adoption", daemon=True).start()
        return answer

    def pending(self) -> int | None:
        """Return the generation that waits, if one does."""
        with as_ours():
            found = self._collection.find_one(self._id | {"done": False})
        return int(found["generation"]) if found else None

    def answer(self, generation: int, refusal: str | None = None) -> None:
        """Say that it serves, or why it never will."""
        answered = {"$set": {"done": True, "refusal": refusal}}
        with as_ours():
            self._collection.update_one(self._id | {"generation": generation}, answered)

    def _await_answer(self, generation: int, answer: Future[None]) -> None:
        found: Fields = {"generation": generation, "done": False}
        while found.get("generation") == generation and not found.get("done"):
            if answer.cancelled():
                return
            time.sleep(LOOK_SECONDS)
            with suppress(NotAbleError), as_ours():  # MongoDB comes back, or the caller waits no more
                found = self._collection.find_one(self._id) or {}
        refusal = found.get("refusal") if found.get("generation") == generation else "Another rebuild came."
        if not answer.set_running_or_notify_cancel():
            return
        if refusal is None:
            answer.set_result(None)
        else:
            answer.set_exception(NotAbleError(f"The rebuilt read models do not serve: {refusal}"))
