"""Rebuilt read models wait for the projection to bring them up to date and to let them serve: a message by MongoDB."""

from __future__ import annotations

import time
from concurrent.futures import Future
from threading import Thread
from typing import Final

from adapters.distributed.mongo import Mongo, as_ours
from domain.errors import NotAbleError
from projections.fold import VERSION

LOOK_SECONDS: Final = 0.1


class Adoptions:
    """One wish at a time: whoever rebuilds last is heard. `{_id: version, generation, done, refusal}`."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.collection("adoptions")
        self._id = {"_id": f"v{VERSION}"}

    def ask(self, generation: int) -> Future[None]:
        """Ask that a generation may serve; the future ends once it does, or with NotAbleError. It may be cancelled."""
        with as_ours():
            self._collection.replace_one(
                self._id, {"generation": generation, "done": False, "refusal": None}, upsert=True
            )
        asked: Future[None] = Future()
        Thread(target=self._follow, args=(generation, asked), name="adoption", daemon=True).start()
        return asked

    def wished(self) -> int | None:
        """Return the generation that waits, if one does."""
        with as_ours():
            found = self._collection.find_one(self._id | {"done": False})
        return int(found["generation"]) if found else None

    def settle(self, generation: int, refusal: str | None = None) -> None:
        """Say that it serves, or why it never will."""
        with as_ours():
            self._collection.update_one(
                self._id | {"generation": generation}, {"$set": {"done": True, "refusal": refusal}}
            )

    def _follow(self, generation: int, asked: Future[None]) -> None:
        while not asked.cancelled():
            try:
                with as_ours():
                    found = self._collection.find_one(self._id) or {}
            except NotAbleError:
                found = {"generation": generation, "done": False}  # it comes back, or who asked waits no more
            if found.get("generation") != generation or found.get("done"):
                _end(asked, found.get("refusal") if found.get("generation") == generation else "Another rebuild came.")
                return
            time.sleep(LOOK_SECONDS)


def _end(asked: Future[None], refusal: str | None) -> None:
    if not asked.set_running_or_notify_cancel():
        return
    if refusal is None:
        asked.set_result(None)
    else:
        asked.set_exception(NotAbleError(f"The rebuilt read models do not serve: {refusal}"))
