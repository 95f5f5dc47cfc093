"""The work of a `project` process in charge: folds the topic into the read models, and lets rebuilt ones serve."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Final

from adapters.distributed.log.feed import MongoLog
from adapters.distributed.membership.status import Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.adoption import Adoptions
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.read_models.upgrade import Upgrade, work_of
from domain.errors import NotAbleError
from projections.fold import VERSION
from projections.ports import CommitFeed
from projections.runner import Runner

WORK: Final = work_of(VERSION)
LOOK_SECONDS: Final = 0.1
TELL_SECONDS: Final = 1.0


class Projector:
    """Follows `topic`; what it says of itself is in `Statuses` under `WORK`."""

    def __init__(self, mongo: Mongo, topic: CommitFeed) -> None:
        self._mongo, self._topic = mongo, topic
        self._log = MongoLog(mongo)
        self._statuses = Statuses(mongo)
        self._told: tuple[float, str | None] = (float("-inf"), None)

    def turn(self, ending: Event, goes_well: Callable[[], None]) -> None:
        """Fold until told to end (`standby.Turn`); NotAbleError: begin anew."""
        read = ReadModels.ensured(self._mongo)
        documents, first = ProjectorDocuments(read), FirstFold(read, self._log)
        runner = Runner(self._topic, documents, head=self._log.head)
        adopting, upgrade = Adopting(self._mongo, documents, runner), Upgrade(self._mongo)
        runner.start()
        try:
            while not ending.wait(LOOK_SECONDS):
                if documents.is_superseded:
                    raise NotAbleError("Another process has let other read models serve: begin anew with them.")
                if not runner.is_alive:
                    raise NotAbleError("The thread that folds has ended: begin anew.")
                adopting.look()
                self._tell(runner, first)
                upgrade.look()
                goes_well()
        finally:
            runner.stop()

    def _tell(self, runner: Runner, first: FirstFold) -> None:
        (at, told), position = self._told, runner.position
        unfinished = first.fault(position)
        fault = runner.fault_sentence() or unfinished
        if fault != told or time.monotonic() - at > TELL_SECONDS:
            self._told = time.monotonic(), fault
            self._statuses.report(WORK, position=position, fault=fault)


class FirstFold:
    """Read models of a version begin empty, and serve: until they were once as far as the log, that is a fault.

    Whoever goes by readiness asks the processes of an older version meanwhile.
    """

    def __init__(self, read: ReadModels, log: MongoLog) -> None:
        self._read = read
        self._goal = None if read.have_caught_up() else log.head()[0]

    def fault(self, position: int) -> str | None:
        """Return a sentence until that is done; raises NotAbleError."""
        if self._goal is not None and position >= self._goal:
            self._read.note_caught_up()
            self._goal = None
        if self._goal is None:
            return None
        return f"The read models of this version are folded for the first time, up to position {self._goal}."


class Adopting:
    """Lets rebuilt read models serve as they are wished for, during one turn."""

    def __init__(self, mongo: Mongo, documents: ProjectorDocuments, runner: Runner) -> None:
        self._mongo, self._documents, self._runner = mongo, documents, runner
        self._adoptions = Adoptions(mongo)
        self._begun: tuple[int, Future[None]] | None = None

    def look(self) -> None:
        """Begin what is wished for; tell how it ended. Raises NotAbleError: who wishes hears it from a later turn."""
        generation = self._adoptions.wished()
        if generation is None:
            return
        if self._begun is None or self._begun[0] != generation:
            fresh = ReadModels(self._mongo, generation)
            switch = partial(self._documents.switch, fresh)
            self._begun = generation, self._runner.adopt(ProjectorDocuments(fresh), switch)
        elif self._begun[1].done():
            error = self._begun[1].exception()
            self._adoptions.settle(generation, None if error is None else str(error))
            self._begun = None
