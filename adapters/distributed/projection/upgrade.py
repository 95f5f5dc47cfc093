"""The end of an upgrade: what an older version of the projections wrote goes once none of its processes is left."""

from __future__ import annotations

import logging
import time
from typing import Final

from adapters.distributed.membership.membership import Members
from adapters.distributed.membership.status import Statuses, projection_work
from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.read_model_store import ReadModelStore
from projections.fold import VERSION

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0


class Upgrade:
    """Looks once in a while whether older versions can go; `look` is for the projection in charge."""

    def __init__(self, mongo: Mongo, read_models: ReadModelStore, version: int = VERSION) -> None:
        self._read_models, self._version = read_models, version
        self._statuses, self._processes = Statuses(mongo), Members(mongo)
        self._next = float("-inf")

    def look(self) -> None:
        """Remove the older read models if nobody can read them any more. Raises NotAbleError."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        if self._processes.has_older(self._version):
            logger.info("read models of older versions stay: a process that reads them is there, or was lately")
            return
        for version in self._read_models.remove_older(self._version):
            self._statuses.forget(projection_work(version))
