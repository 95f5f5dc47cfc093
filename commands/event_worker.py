"""The event worker follows the log: queued tasks, lost tasks, cancellations, with the same functions as a call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from threading import Event as Signal
from threading import Thread

from commands.application import Application
from commands.call import correlated
from commands.command_appends import CommandAppends, appends_of_task
from commands.ports import DuplicateAppend, EventFeed, HandledEvents, OpenTasks, PositionedEvent
from commands.settle_search import settle_search
from commands.specifications import required_offers
from commands.task_ends import describe_loss
from commands.task_owners import get_owner, load_owner
from commands.unit_of_work import UnitOfWork
from commands.waiting_tasks import ALL_KINDS, WaitingTasks
from domain.errors import AutoLearnError, ConflictError, DiskReserveError, NotAbleError
from domain.search import Search
from domain.search_events import SearchRequested
from domain.task import Task, TaskOwner
from domain.task_events import AllTasksEnded, TaskCancelled
from domain.values import KINDS_OF_SEARCH, MAX_ATTEMPTS, stream_of_task

logger = logging.getLogger(__name__)

BATCH = 500
IDLE_SECONDS = 1.0
RETRY_SECONDS = 0.2  # a slot can become free without an event: a cancelled task's process ends after its event
START_SECONDS = 30.0
RECHECK_SECONDS = 30.0  # between two looks, of a worker with a free slot and nothing to do, at all that is unfinished
RECHECK_TIMEOUT = 1.0  # for the read models to be where the log is; else it is left to the next time
LOST_CHECK_SECONDS = 2.0  # between two looks at whether the workers of tasks that run elsewhere are still alive

NOT_YET = "It does not follow the log yet: it waits for the read models to know what was unfinished when it started."


class EventWorker:
    """Claims waiting tasks of its `kinds` as slots allow, clients in turn; ends tasks that were cancelled elsewhere.

    `is_lost`: whether the worker of this name, which has started a task, is dead. Without kinds it claims nothing,
    but what this process has started, and does not run because the reply to its claim was lost, it runs all the same.
    `position` is how far it has followed the log, `trouble` a sentence while something hinders it.
    """

    def __init__(
        self,
        application: Application,
        feed: EventFeed,
        open_tasks: OpenTasks,
        handled_events: HandledEvents,
        *,
        is_lost: Callable[[str], bool],
        kinds: frozenset[str] = ALL_KINDS,
    ) -> None:
        self._application = application
        self._ports = application.ports
        self._quota = application.tasks.quota
        self._feed = feed
        self._open_tasks = open_tasks
        self._handled_events = handled_events
        self._is_lost = is_lost
        self.position = 0
        self._kinds, self._knows_all = kinds, False
        self._waiting = WaitingTasks(kinds, self._ports.worker)
        application.tasks.others_wait = self._waiting.others_wait
        application.tasks.figures.waiting = self._waiting.list_waiting
        self._lost_checked, self._rechecked = 0.0, time.monotonic()
        self._with_deadline: dict[str, SearchRequested] = {}
        self.trouble = ""
        self._stop = Signal()
        self._thread = Thread(target=self._run, name="event worker", daemon=True)

    def start(self, position: int) -> None:
        """Take over all unfinished tasks at `position` (from the read models), then follow the log from there."""
        self.position = position
        if self._kinds:
            self._take_over(START_SECONDS)
        self._thread.start()

    @property
    def fault(self) -> str | None:
        """Why it does not do its work, in a sentence; None while it follows the log."""
        return (self.trouble or None) if self._thread.is_alive() else NOT_YET

    def request_stop(self) -> None:
        """Claim nothing more, and return at once."""
        self._stop.set()

    def stop(self) -> None:
        """Stop following the log; running tasks continue."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        has_more = True
        while not self._stop.is_set():
            try:
                self.step(reads=has_more)
                self.trouble, has_more = "", True  # where waiting fails, it is not known
                has_more = self._feed.wait_beyond(self.position, RETRY_SECONDS if self._waiting else IDLE_SECONDS)
            except AutoLearnError as trouble:
                if trouble.sentence != self.trouble:  # what lasts is said once
                    logger.warning("event worker: %s", trouble.sentence)
                self.trouble = trouble.sentence
                self._stop.wait(IDLE_SECONDS)
            except Exception as error:
                logger.exception("event worker")
                self.trouble = f"{type(error).__name__}: the process's own log says more"
                self._stop.wait(IDLE_SECONDS)

    def step(self, *, reads: bool = True) -> None:
        """Read on in the log and claim what can be claimed, even if the log cannot be read."""
        try:
            for followed in self._feed.after(self.position, BATCH) if reads else ():
                self._follow(followed)
                self.position = followed.position
        finally:
            try:
                self._requeue_lost()
                self._recheck_unfinished()
                self._claim_waiting()
            finally:
                self._application.tasks.is_crowded = self._waiting.is_crowded

    def _requeue_lost(self) -> None:
        if time.monotonic() - self._lost_checked > LOST_CHECK_SECONDS:
            self._waiting.requeue_lost(self._is_lost, self._application.tasks.has, self._ports.clock.now())
            self._end_overdue_searches()
            self._lost_checked = time.monotonic()

    def _end_overdue_searches(self) -> None:
        """Let searches whose deadline has passed end with what they have."""
        now = self._ports.clock.now()
        for asked in [
            asked for asked in self._with_deadline.values() if asked.until is not None and now >= asked.until
        ]:
            stream = asked.originator_id
            appends = appends_of_task(self._ports, stream, 0, asked.metadata.correlation)
            with suppress(ConflictError, DuplicateAppend):  # another process was first
                appends.decide(partial(_settle, stream=stream, now=now))
            del self._with_deadline[stream]

    def _recheck_unfinished(self) -> None:
        """Check again what is unfinished: the topic may have had a start or an end that is not in the log."""
        is_idle = not self._waiting and time.monotonic() - self._rechecked > RECHECK_SECONDS
        is_due = is_idle and self._has_free_slot() if self._kinds else is_idle and not self._knows_all
        if is_due:
            self._rechecked = time.monotonic()
            with suppress(NotAbleError):  # the next check is soon enough, and queries report a lag
                self._take_over(RECHECK_TIMEOUT)

    def _has_free_slot(self) -> bool:
        is_free = self._ports.launcher.take_slot()
        if is_free:
            self._ports.launcher.free_slot()
        return is_free

    def _take_over(self, timeout: float) -> None:
        """Queue everything that is unfinished; the log itself says who requested it."""
        owners: dict[str, TaskOwner] = {}
        for task in self._open_tasks.list_unfinished(timeout):
            stream = stream_of_task(task)
            if stream not in owners:
                owner = owners[stream] = load_owner(self._ports.store, stream)
                if isinstance(owner, Search) and owner.is_unfinished:
                    self._note_deadline(owner.asked)
            it = owners[stream].tasks.get(task)
            if it is not None and it.is_unfinished:
                self._quota.add_task(task, it.client)
                self._waiting.add(task, it.client, self._ports.clock.now())
        self._knows_all = True

    def _note_deadline(self, asked: SearchRequested) -> None:
        if asked.until is not None and self._kinds >= KINDS_OF_SEARCH:
            self._with_deadline[asked.originator_id] = asked

    def _claim_waiting(self) -> None:
        following: Iterator[str] | None = None
        while not self._stop.is_set() and self._waiting and self._ports.launcher.take_slot():
            following = following or self._waiting.iterate_fairly()
            task = next(following, None)
            if task is None:
                self._ports.launcher.free_slot()
                return
            self._claim_in_slot(task)

    def _follow(self, followed: PositionedEvent) -> None:
        self._waiting.apply(followed)
        self._quota.apply(followed.event)
        if isinstance(followed.event, SearchRequested):
            self._note_deadline(followed.event)
        if isinstance(followed.event, TaskCancelled | AllTasksEnded):
            self._end_cancelled(followed)

    def _end_cancelled(self, followed: PositionedEvent) -> None:
        """End what runs here and is cancelled in the log: the topic may have events that the log lacks."""
        stream = followed.event.originator_id
        here = [task for task in self._application.tasks.list_running() if stream_of_task(task) == stream]
        tasks = load_owner(self._ports.store, stream).tasks if here else {}
        for task in here:
            if task in tasks and tasks[task].state == "cancelled":
                self._application.tasks.cancel(task)
                self._audit(followed, "cancelled", time.perf_counter())

    def _claim_in_slot(self, task: str) -> None:
        followed, runs = self._waiting.pop(task), False
        try:
            with correlated(followed.event.metadata.correlation if followed else ""):
                runs = self._claim(task, followed)
            if runs:
                self._waiting.record_turn(task)
        except Exception:
            self._waiting.put_back(task, followed)
            raise
        finally:
            if not runs:
                self._ports.launcher.free_slot()

    def _claim(self, task: str, followed: PositionedEvent | None) -> bool:
        began = time.perf_counter()
        owner = load_owner(self._ports.store, stream_of_task(task))
        it = owner.tasks.get(task)
        if it is None or not it.is_unfinished:
            self._waiting.forget_client(task)
            return False
        if it.state == "started" and it.worker == self._ports.worker:
            return self._run_orphan(it)
        if it.state == "started" and not self._is_lost(it.worker or ""):
            self._waiting.record_start(it.worker or "", task)
            return False
        if not self._waiting.accepts(task):
            return False
        if not self._ports.launcher.can_run(required_offers(owner, task)):
            logger.info("%s is left to a worker that has what it needs: %s", task, required_offers(owner, task))
            return False
        appends = appends_of_task(self._ports, it.id, it.attempt + 1, it.requested.correlation)
        outcome = self._start(appends, it)
        figures = self._application.tasks.figures
        if outcome == "started":
            if it.attempt:
                figures.count_taken_over(it.kind)
            self._application.tasks.run(task, it.attempt + 1, appends)
        elif outcome == "failed":
            figures.count_lost(it.kind)
        self._audit(followed, outcome, began)
        return outcome == "started"

    def _run_orphan(self, it: Task) -> bool:
        """Run a task that this process claimed without knowing it: the claim is in the log, but its reply was lost."""
        if self._application.tasks.has(it.id):
            self._waiting.record_start(self._ports.worker, it.id)
            return False
        logger.warning("%s was claimed here but never started; starting it", it.id)
        appends = appends_of_task(self._ports, it.id, it.attempt, it.requested.correlation)
        appends.append_count = 1  # the claim, where an event worker made it
        self._application.tasks.run(it.id, it.attempt, appends)
        self._waiting.record_start(self._ports.worker, it.id)  # if no thread could be had it is an orphan once more
        return True

    def _audit(self, followed: PositionedEvent | None, outcome: str, began: float) -> None:
        """Write to the audit log what was done with an event; a failure is only logged, because the work is done."""
        if followed is None:
            return
        try:
            self._handled_events.record_event(
                followed.event, followed.position, outcome, (time.perf_counter() - began) * 1000
            )
        except (NotAbleError, DiskReserveError) as trouble:
            logger.warning("%s of position %s is not recorded: %s", outcome, followed.position, trouble.sentence)

    def _start(self, appends: CommandAppends, it: Task) -> str:
        attempt = it.attempt + 1

        def decision(work: UnitOfWork) -> str:
            owner = get_owner(work, it.id)
            if attempt <= MAX_ATTEMPTS:
                owner.start(it.id, attempt, self._ports.worker)
                return "started"
            owner.fail(it.id, it.attempt, "lost", describe_loss("Its worker was stopped or died."))
            if isinstance(owner, Search):
                settle_search(work, owner, self._ports.clock.now())
            return "failed"

        try:
            return appends.decide(decision)[0]
        except (ConflictError, DuplicateAppend):
            return "skipped"  # somebody else was first, or it was cancelled


def _settle(work: UnitOfWork, stream: str, now: datetime) -> None:
    settle_search(work, work.get(Search, stream), now)
