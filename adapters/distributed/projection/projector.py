"""The work of a `project` process in charge: folds the topic into the read models, and lets rebuilt ones serve."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event as Signal
from typing import Final

from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.status import PROJECTION, Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.adoption import Adoptions
from adapters.distributed.projection.read_model_store import GenerationDocuments, ReadModelStore
from adapters.distributed.projection.upgrade import Upgrade
from domain.errors import NotAbleError
from projections.ports import CommitFeed
from projections.runner import ProjectionRunner

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
REPORT_SECONDS: Final = 1.0  # between two reports of a position that grows
REPEAT_SECONDS: Final = 10.0  # until the same is reported again
BATCH: Final = 2000  # events that are folded at once while there are so many: each batch costs some round trips


class Projector:
    """Follows `topic`, and reports under `PROJECTION` in `Statuses`."""

    def __init__(self, mongo: Mongo, topic: CommitFeed, read_models: ReadModelStore) -> None:
        self._mongo, self._topic, self._read_models = mongo, topic, read_models
        self._log = MongoFeed(mongo)
        self._statuses = Statuses(mongo)
        self._reported: tuple[int, str | None] | None = None
        self._reported_at = 0.0

    def turn(self, ending: Signal, report_progress: Callable[[], None]) -> None:
        """Fold until told to end (`standby.Turn`); NotAbleError: begin anew."""
        documents = self._read_models.serving_generation()
        first_fold = FirstFold(self._read_models, self._log)
        runner = ProjectionRunner(self._topic, documents, BATCH, log_end=self._log.end)
        adopter = Adopter(Adoptions(self._mongo), self._read_models, documents, runner)
        upgrade = Upgrade(self._mongo, self._read_models)
        self._reported = None
        logger.info("%s: folds on from position %s", PROJECTION, runner.position)
        runner.start()
        try:
            while not ending.wait(LOOK_SECONDS):
                if documents.is_superseded:
                    raise NotAbleError("Another process has let other read models serve: begin anew with them.")
                if not runner.is_alive:
                    raise NotAbleError("The thread that folds has ended: begin anew.")
                adopter.look()
                position = runner.position
                unfinished = first_fold.fault(position)
                self._report(position, runner.fault_sentence() or unfinished)
                upgrade.look()
                report_progress()
        finally:
            runner.stop()

    def _report(self, position: int, fault: str | None) -> None:
        now, before = time.monotonic(), self._reported
        if before is not None and before[1] == fault:
            pause = REPEAT_SECONDS if before[0] == position else REPORT_SECONDS
            if now < self._reported_at + pause:
                return
        self._reported, self._reported_at = (position, fault), now
        self._statuses.report(PROJECTION, position=position, fault=fault)


class FirstFold:
    """Read models of a version begin empty, and serve: until they were once as far as the log, that is a fault.

    What goes by readiness asks the processes of an older version meanwhile.
    """

    def __init__(self, read_models: ReadModelStore, log: CommitFeed) -> None:
        self._read_models = read_models
        self._goal = None if read_models.have_caught_up() else log.end()[0]

    def fault(self, position: int) -> str | None:
        """Return a sentence until that is done; raises NotAbleError."""
        if self._goal is not None and position >= self._goal:
            self._read_models.note_caught_up()
            self._goal = None
        if self._goal is None:
            return None
        return f"The read models of this version are folded for the first time, up to position {self._goal}."


class Adopter:
    """Lets rebuilt read models serve as `Adoptions` ask for, during one turn."""

    def __init__(
        self,
        adoptions: Adoptions,
        read_models: ReadModelStore,
        documents: GenerationDocuments,
        runner: ProjectionRunner,
    ) -> None:
        self._adoptions, self._read_models, self._documents, self._runner = adoptions, read_models, documents, runner
        self._running: tuple[int, Future[None]] | None = None

    def look(self) -> None:
        """Begin what is asked for, and answer when it has ended; raises NotAbleError: a later turn answers."""
        generation = self._adoptions.pending()
        if generation is None:
            return
        if self._running is None or self._running[0] != generation:
            switch = partial(self._documents.switch, generation)
            self._running = generation, self._runner.adopt(self._read_models.generation(generation), switch)
        elif self._running[1].done():
            error = self._running[1].exception()
            self._adoptions.answer(generation, None if error is None else str(error))
            self._running = None
