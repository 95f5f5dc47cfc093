"""The work of a `project` process in charge: folds the topic into the read models, and lets rebuilt ones serve."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Final

from adapters.distributed.adoption import Adoptions
from adapters.distributed.log import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.distributed.projector_documents import ProjectorDocuments
from adapters.distributed.read_models import ReadModels
from adapters.distributed.status import Statuses
from domain.errors import NotAbleError
from projections.ports import Feed
from projections.runner import Runner

WORK: Final = "project"
LOOK_SECONDS: Final = 0.1
TELL_SECONDS: Final = 1.0


class Projector:
    """Follows `topic`; what it says of itself is in `Statuses` under `project`."""

    def __init__(self, mongo: Mongo, topic: Feed) -> None:
        self._mongo, self._topic = mongo, topic
        self._log = MongoLog(mongo)
        self._statuses, self._adoptions = Statuses(mongo), Adoptions(mongo)
        self._told: tuple[float, str | None] = (float("-inf"), None)
        self._adopting: int | None = None

    def turn(self, ending: Event, goes_well: Callable[[], None]) -> None:
        """Fold until told to end (`standby.Turn`); NotAbleError: another process has let other read models serve."""
        documents = ProjectorDocuments(ReadModels.ensured(self._mongo))
        runner = Runner(self._topic, documents, head=self._log.head)
        runner.start()
        try:
            while not ending.wait(LOOK_SECONDS):
                if documents.is_superseded:
                    raise NotAbleError("Another process has let other read models serve: begin anew with them.")
                self._adopt(runner, documents)
                self._tell(runner)
                goes_well()
        finally:
            runner.stop()

    def _adopt(self, runner: Runner, documents: ProjectorDocuments) -> None:
        generation = self._adoptions.wished()
        if generation is None or generation == self._adopting:
            return
        self._adopting = generation
        fresh = ReadModels(self._mongo, generation)
        adopted = runner.adopt(ProjectorDocuments(fresh), partial(documents.switch, fresh))
        adopted.add_done_callback(partial(self._settle, generation))

    def _settle(self, generation: int, adopted: Future[None]) -> None:
        error = adopted.exception()
        self._adoptions.settle(generation, None if error is None else str(error))
        self._adopting = None

    def _tell(self, runner: Runner) -> None:
        at, fault = self._told
        if runner.told() != fault or time.monotonic() - at > TELL_SECONDS:
            self._told = time.monotonic(), runner.told()
            self._statuses.tell(WORK, position=runner.position, fault=self._told[1])
