"""The tasks that run in this process: each is watched by a thread, and each end becomes an event.

The claim is the `…-started` event: the process that appended it runs the task. The aggregate refuses a late result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Lock, Thread

from commands.call import CORRELATION
from commands.command_appends import CommandAppends, appends_of_task
from commands.ports import Ports, RunningTask, TaskBroken, TaskOutcome, TaskSpec
from commands.quota import Quota
from commands.specifications import task_spec
from commands.task_ends import Claimed, record_end
from commands.task_figures import TaskFigures
from commands.task_owners import get_owner
from commands.unit_of_work import UnitOfWork
from domain.errors import AutoLearnError, DiskReserveError, NotAbleError
from domain.values import KINDS_OF_SEARCH, MAX_ATTEMPTS, kind_of_task

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
CLOSE_SECONDS = 5.0
ENDED_ALREADY = TaskBroken("cancelled", "It had ended before its process was started.")


@dataclass
class Watched:
    """A task of this process: its child once it is started, and whether its end is in the log."""

    task: str
    ended: Signal = field(default_factory=Signal)
    child: RunningTask | None = None
    cancelled: bool = False


class Tasks:
    """Runs claimed tasks, one child process and one watching thread each; a search's one after the other.

    As the event worker says: `is_crowded`, whether tasks wait for a slot here; `others_wait`, whether some come before
    the next task of this one's search.
    """

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.quota, self.figures = Quota(ports.store), TaskFigures()
        self.is_crowded = False
        self.others_wait: Callable[[str], bool] = lambda _: False
        self._lock = Lock()
        self._watched: dict[str, Watched] = {}
        self._announced: list[str] = []
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._closing = Signal()

    @contextmanager
    def announce_claims(self) -> Iterator[Callable[[str], None]]:
        """Let repeats of a call wait if they see its claim in the log before `run` has been called for it."""
        ours: list[str] = []

        def announce(task: str) -> None:
            with self._lock:
                ours.append(task)
                self._announced.append(task)

        try:
            yield announce
        finally:
            with self._lock:
                for task in ours:
                    self._announced.remove(task)
            for task in ours:
                self._notify(task)

    def run(self, task: str, attempt: int, appends: CommandAppends) -> None:
        """Run a task that this process has claimed in a slot it has taken; returns at once."""
        watched = Watched(task)
        with self._lock:
            self._watched[task] = watched
        work = (watched, attempt, appends)
        try:
            Thread(target=self._watch, args=work, name=f"task {task}", daemon=True).start()
        except RuntimeError as failure:
            logger.warning("task %s is not run yet: %s", task, failure)
            self.ports.launcher.free_slot()
            self._forget(watched)  # for now: the event worker finds it in the log as an orphan of this process

    def wait(self, task: str, timeout: float) -> bool:
        """Wait for the end of a task that runs here; True if its end is in the log or it does not run here."""
        over = Signal()
        self.add_end_listener(task, over.set)
        try:
            return over.wait(timeout)
        finally:
            self.remove_end_listener(task, over.set)

    def add_end_listener(self, task: str, listener: Callable[[], None]) -> None:
        """Call back, from any thread, once the end of a task is in the log, or this process ends its tasks.

        At once if the task does not run here.
        """
        with self._lock:
            may_end = (task in self._watched or task in self._announced) and not self._closing.is_set()
            if may_end:
                self._listeners.setdefault(task, []).append(listener)
        if not may_end:
            listener()

    def remove_end_listener(self, task: str, listener: Callable[[], None]) -> None:
        """Remove a listener."""
        with self._lock:
            listeners = self._listeners.get(task, [])
            if listener in listeners:
                listeners.remove(listener)

    def cancel(self, *tasks: str) -> None:
        """Kill the children of those tasks that run here; the log has their end already."""
        with self._lock:
            watched = [self._watched[task] for task in tasks if task in self._watched]
            for it in watched:
                it.cancelled = True
            children = [it.child for it in watched if it.child is not None]
        for child in children:
            child.cancel()

    def has(self, task: str) -> bool:
        """Tell whether a task runs or is being claimed here; one that was started here and is neither is an orphan."""
        with self._lock:
            return task in self._watched or task in self._announced

    def list_running(self) -> list[str]:
        """List the tasks that run here."""
        with self._lock:
            return list(self._watched)

    @property
    def is_ending(self) -> bool:
        return self._closing.is_set()

    def end_all(self) -> None:
        """End all children without recording an end: the next start finds their tasks in the log and runs them.

        Who waits for one is called at once: a child that waits for its forkserver can be ended only with that one.
        """
        with self._lock:
            self._closing.set()
            listeners = [listener for waiting in self._listeners.values() for listener in waiting]
            self._listeners.clear()
        self.cancel(*self.list_running())
        for listener in listeners:
            listener()

    def close(self) -> None:
        """End all children likewise, and wait for the threads that watched them."""
        self.end_all()
        with self._lock:
            watched = list(self._watched.values())
        for it in watched:
            it.ended.wait(CLOSE_SECONDS)

    def _watch(self, watched: Watched, attempt: int, appends: CommandAppends) -> None:
        """Run a task to its end, also if it is killed; in a search, go on with what waits next. All in one slot."""
        process: RunningTask | None = None
        following: Claimed | None = Claimed(watched.task, attempt)
        has_slot = True
        try:
            while following is not None:
                CORRELATION.set(appends.call.correlation)  # the thread's own
                self.figures.count_attempt(kind_of_task(watched.task), following.attempt)
                outcome = self._run_until_end(watched, following.spec, process)
                process, ended = watched.child or process, watched.task
                if not (self._pause_if_killed(ended, following.attempt, outcome) or is_of_search(ended)):
                    self.ports.launcher.free_slot()  # before the append that wakes who waits for a slot
                    has_slot = False
                following, watched = self._record(watched, following.attempt, appends, outcome)
                if following is not None and following.task != ended:
                    appends = appends_of_task(self.ports, *following[:2], appends.call.correlation)
        except Exception:
            logger.exception("task %s could not be watched to its end", watched.task)
        finally:
            if process is not None:
                process.close()
            if has_slot:
                self.ports.launcher.free_slot()
            self._forget(watched)

    def _record(
        self, watched: Watched, attempt: int, appends: CommandAppends, outcome: TaskOutcome
    ) -> tuple[Claimed | None, Watched]:
        """Record an end, however often it must be tried; return what was claimed with it, and what is watched now."""
        goes_on = is_of_search(watched.task) and not self.others_wait(watched.task)
        expected: dict[str, Watched] = {}

        def expect(task: str) -> None:
            with self._lock:  # another slot may expect the same one: whoever claims it watches it
                self._watched[task] = expected.setdefault(task, Watched(task))

        claimed = None
        while not (self._closing.is_set() or watched.cancelled):
            try:
                claimed = record_end(appends, watched.task, attempt, outcome, expect if goes_on else None)
            except AutoLearnError as trouble:
                logger.warning("the end of %s cannot be recorded yet: %s", watched.task, trouble.sentence)
            except Exception:  # a full disk or a bug must not lose a finished result
                logger.exception("the end of %s cannot be recorded yet", watched.task)
            else:
                break
            self._closing.wait(AGAIN_SECONDS)
        if claimed is not None and claimed.task == watched.task:
            return claimed, watched  # the same, as somebody may have cancelled it meanwhile
        self.quota.remove_task(watched.task)
        if claimed is not None:
            expect(claimed.task)
        now = watched if claimed is None else expected.pop(claimed.task)
        for it in (watched, *expected.values()):
            self._forget(it)
        return claimed, now

    def _pause_if_killed(self, task: str, attempt: int, outcome: TaskOutcome) -> bool:
        """Tell whether a task gets its next attempt; where it was killed, after a moment.

        Whoever killed the task may be ending this process, too: that must not cost two attempts.
        """
        if not isinstance(outcome, TaskBroken) or not outcome.is_killed:
            return False
        logger.warning("attempt %s of task %s was lost: %s", attempt, task, outcome.detail)
        self._closing.wait(AGAIN_SECONDS)
        if attempt == MAX_ATTEMPTS:
            self.figures.count_lost(kind_of_task(task))
        return attempt < MAX_ATTEMPTS

    def _forget(self, watched: Watched) -> None:
        with self._lock:
            if self._watched.get(watched.task) is watched:
                del self._watched[watched.task]
        watched.ended.set()
        self._notify(watched.task)

    def _notify(self, task: str) -> None:
        """Notify the listeners of a task that it does not run here any more."""
        with self._lock:
            runs = task in self._watched or task in self._announced
            listeners = [] if runs else self._listeners.pop(task, [])
        for listener in listeners:
            listener()

    def _run_until_end(self, watched: Watched, spec: TaskSpec | None, process: RunningTask | None) -> TaskOutcome:
        """Run a task until it ends; an outage of a store or of the machine does not end it."""
        while not (self._closing.is_set() or watched.cancelled):
            try:
                return self._run_child(watched, spec, process)
            except (NotAbleError, DiskReserveError) as outage:
                logger.warning("task %s cannot be run yet: %s", watched.task, outage.sentence)
            except Exception as failure:
                logger.exception("task %s could not be run", watched.task)
                return TaskBroken("error", f"The task could not be run: {type(failure).__name__}.")
            self._closing.wait(AGAIN_SECONDS)
        return ENDED_ALREADY

    def _run_child(self, watched: Watched, spec: TaskSpec | None, process: RunningTask | None) -> TaskOutcome:
        """Run a task in the process that waits for one, if any, or else in a new one."""
        if spec is None:
            work = UnitOfWork(self.ports.store)
            owner = get_owner(work, watched.task)
            if self._closing.is_set() or not owner.tasks[watched.task].is_unfinished:
                return ENDED_ALREADY  # between its claim and this look at the log
            spec = task_spec(work, owner, watched.task)
        if process is not None and not process.go_on(spec):
            process.close()
            process = None
        if process is None:
            process = self.ports.launcher.start(spec, stays=is_of_search(watched.task))
        with self._lock:
            watched.child = process
            if watched.cancelled or self._closing.is_set():
                process.cancel()
        return process.result()


def is_of_search(task: str) -> bool:
    """Tell whether the slot of a task may go on with another task."""
    return kind_of_task(task) in KINDS_OF_SEARCH
