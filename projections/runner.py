"""The live projection: follows the log and folds it into the read models, batch by batch, in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event as Signal
from threading import Thread
from time import monotonic

from domain.errors import AutoLearnError, NotAbleError
from projections.fold import UNABLE, Poisoned, ProjectionUpdater
from projections.ports import CommitFeed, Documents

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.2  # how late a stop or a job is seen while nothing is appended
RETRY_SECONDS = 1.0
AGAIN_SECONDS = 5.0  # until what could not be read is tried again: the log may have been mended from outside
BATCH = 4000  # events that are folded at once while there are so many


@dataclass(frozen=True, slots=True)
class ProjectionFault:
    """Why the projection stands still: `position` is the commit that it cannot fold, or where the read models are."""

    position: int
    sentence: str


class ProjectionRunner:
    """Folds what the feed has. An event that cannot be folded stops it, visibly, until it can; it never skips one.

    `log_end` returns the end of the log itself, where the feed is a copy of it that may be made anew.
    """

    def __init__(
        self,
        feed: CommitFeed,
        documents: Documents,
        batch: int = BATCH,
        log_end: Callable[[], tuple[int, bytes]] | None = None,
    ) -> None:
        self._feed = feed
        self._documents = documents
        self._batch = batch
        self._log_end = log_end or feed.end
        self._updater = ProjectionUpdater(feed, documents)
        self._is_checked = False  # whether the log is known to be as far as what was folded from it
        self._stopping = Signal()
        self._thread: Thread | None = None
        self._position = 0  # the last one that the read models told
        self._jobs: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        self.fault: ProjectionFault | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the thread follows the log."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def position(self) -> int:
        self._position = self._documents.position()
        return self._position

    def start(self) -> None:
        """Follow the log in a thread, from where the read models are."""
        self._position = self._documents.position()
        self._thread = Thread(target=self._run, name="projections", daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Ask it to stop after the current batch, and return at once."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop after the current batch; safe to repeat."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait(self, position: int, timeout: float) -> bool:
        return self._documents.wait(position, timeout)

    def fault_sentence(self) -> str | None:
        """Return `position N: why` where it stands still, else None."""
        fault = self.fault
        return None if fault is None else f"position {fault.position}: {fault.sentence}"

    def step(self) -> bool:
        """Fold one batch; False where there was nothing to fold. Raises Poisoned after what came before the poison."""
        return self._updater.step(self._batch)

    def adopt(self, fresh: Documents, switch: Callable[[], None]) -> Future[None]:
        """Bring rebuilt read models up to where the old ones are, then switch to them, between two batches.

        The future ends with NotAbleError where that cannot be done now: none that is behind the old ones ever serves.
        A fault of the old ones ends with them. Cancel the future to give up while it waits.
        """

        def job() -> None:
            self._catch_up(fresh)
            self._updater.forget()
            switch()
            self.fault = None

        done: Future[None] = Future()
        self._jobs.put((job, done))
        if self._thread is None:
            self._run_jobs()
        return done

    def _catch_up(self, fresh: Documents) -> None:
        """Fold what the old ones have, or as much of it as the log has: they may be ahead of it."""
        end, _ = self._log_end()
        try:
            goal = min(self._documents.position(), end)
        except AutoLearnError:  # damage, an outage
            goal = end
        updater = ProjectionUpdater(self._feed, fresh)
        while (position := fresh.position()) < goal:
            if not updater.step(self._batch):
                raise NotAbleError(f"What there is to fold ends at {position}, before {goal}: rebuild again later.")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._run_jobs()
            try:
                self._follow()
            except UNABLE as error:
                self._note(ProjectionFault(self._known_position(), error.sentence))
                self._stopping.wait(RETRY_SECONDS)
            except Poisoned as error:
                self._note(ProjectionFault(error.position, error.sentence))
                self._stand_still(AGAIN_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen and nothing may be skipped
                self._note(ProjectionFault(self._known_position(), f"{type(error).__name__}: {error}"))
                self._stand_still(AGAIN_SECONDS)

    def _follow(self) -> None:
        if not self._is_checked and self._is_ahead():
            self._stand_still()
            return
        self._is_checked = True
        if self._feed.wait_beyond(self.position, IDLE_SECONDS):
            self.step()
        self.fault = None

    def _is_ahead(self) -> bool:
        """Whether the log is an older copy than what was folded: going on would mix two histories."""
        (end, _), position = self._log_end(), max(self._documents.positions().values())
        if position > end:
            sentence = f"The read models are at {position}, ahead of the log ({end}): rebuild them."
            self._note(ProjectionFault(position, sentence))
        return position > end

    def _stand_still(self, seconds: float = float("inf")) -> None:
        """Fold nothing for so long, or until a rebuild was adopted."""
        end = monotonic() + seconds
        while self.fault is not None and monotonic() < end and not self._stopping.wait(IDLE_SECONDS):
            self._run_jobs()

    def _note(self, fault: ProjectionFault) -> None:
        if fault != self.fault:  # what lasts is said once
            logger.error("projection stopped at %s: %s", fault.position, fault.sentence)
        self.fault = fault

    def _run_jobs(self) -> None:
        while True:
            try:
                job, done = self._jobs.get_nowait()
            except Empty:
                return
            if not done.set_running_or_notify_cancel():
                continue
            try:
                job()
            except Exception as error:  # noqa: BLE001 - handed to the caller who put the job here
                done.set_exception(error)
            else:
                done.set_result(None)

    def _known_position(self) -> int:
        """Return where the read models are, or were when they last told it."""
        try:
            return self.position
        except AutoLearnError:
            return self._position
