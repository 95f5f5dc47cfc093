"""A running task as its parent sees it: its deadline, memory, cancellation, crash or kill is an outcome, in words."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

from adapters.host.private_files import discard
from adapters.host.process_metrics import TASK_SECONDS
from adapters.host.retry import Retry
from adapters.tasks.child import PAGE
from adapters.tasks.forkserver import Child
from commands.ports import TaskBroken, TaskDone, TaskOutcome, TaskSpec
from domain.errors import DiskReserveError, NotAbleError

POLL_SECONDS = 0.05  # seconds between two looks at the clock and at the child's memory; an answer is seen at once
GRACE = 1.0  # seconds between the end of a broken child's answer and its exit code
LARGEST_ANSWER = 8 << 20
ANSWER_SECONDS = 5.0  # an answer is written at once; a child that stops amid it is ended
MIB = 1 << 20
# Signals that a process brings on itself, as a rule. Any other comes from outside: the OOM killer, a person, a stop.
FAULTS = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGSYS, signal.SIGTRAP}
)
OUTCOMES = frozenset({"completed", "crashed", "killed", "memory-limit", "deadline", "cancelled", "bad-input", "error"})
NO_WHOLE_ANSWER = TaskBroken("crashed", "The task process gave no whole answer.")
PAUSES = Retry(shortest=1.0, longest=5.0)  # while the store of blobs is away
IN_CALL_ATTEMPTS = 3  # to store what a task has made, while its caller waits
OF_MEMORY = "AUTOLEARN_TASK_MEMORY, or --memory of a training"


logger = logging.getLogger(__name__)


class TaskBlobs(Protocol):
    """The blobs of a task, where their store is on another machine, and a folder for them on this one."""

    folder: Path

    def provide(self, facts: Mapping[str, Any], stop: threading.Event) -> None:
        """Bring the blobs that a task may read; raises NotAbleError and DiskReserveError."""
        ...

    def store_new(self, stop: threading.Event) -> None:
        """Store what a task has made, or what is left of it; raises NotAbleError and DiskReserveError."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task may use: `deadline` in seconds, `memory` in bytes beyond what it shares with the forkserver."""

    deadline: float
    memory: int


class TaskProcess:
    """Fulfils commands.ports.RunningTask for one child."""

    def __init__(
        self,
        kind: str,
        child: Child,
        limits: Limits,
        scratch: str,
        ended: Callable[[TaskProcess], None],
        *,
        blobs: TaskBlobs | None = None,
        in_call: bool = False,
    ) -> None:
        self.pid, self._kind = child.pid, kind
        self._blobs = blobs
        self._in_call = in_call
        self._stop = threading.Event()
        self._child = child
        self._limits = limits
        self._scratch = scratch
        self._ended = ended
        self._began = time.monotonic()
        self._memory_before = self._memory()
        self._outcome: TaskOutcome | None = None
        self._cancelled = self._closed = False
        self._waiting = threading.Lock()
        self._deciding = threading.Lock()

    def result(self) -> TaskOutcome:
        """Wait for the end and return how it ended; any number of threads may ask, any number of times."""
        with self._waiting:
            if self._outcome is None:
                outcome = self._watch()
                if isinstance(outcome, TaskDone) and self._blobs is not None:
                    outcome = self._store(outcome, self._blobs)
                with self._deciding:
                    self._outcome = TaskBroken("cancelled", "The task was cancelled.") if self._cancelled else outcome
                    measure(self._kind, self._outcome, time.monotonic() - self._began)
                    stays = self._child.orders is not None and isinstance(self._outcome, TaskDone)
                if not stays:
                    self.close()
            return self._outcome

    def cancel(self) -> None:
        """Kill the child, unless its outcome is known already; one that stays does no further task."""
        with self._deciding:
            is_idle = self._outcome is not None
            if not is_idle:
                self._cancelled = True
                self._stop.set()
                if not self._child.has_ended():  # long ago, perhaps: its number may be another's
                    self._child.end()
        if is_idle:
            self.close()

    def go_on(self, spec: TaskSpec) -> bool:
        """Order the next task of a child that stays and has answered; False if it is gone.

        Raises NotAbleError while its blobs cannot be had.
        """
        if self._blobs is not None and not self._closed:
            self._blobs.provide(spec.facts, self._stop)
        with self._deciding:
            if self._closed or self._child.orders is None or self._child.has_ended():
                return False
            self._outcome, self._began, self._kind = None, time.monotonic(), spec.kind
            with contextlib.suppress(OSError):  # it died now: `result` says so
                self._child.orders.send_bytes(json.dumps([spec.kind, spec.facts]).encode())
        return True

    def close(self) -> None:
        """End the child, and remove what it left."""
        with self._deciding:
            if self._closed:
                return
            self._closed = True
            self._child.close()
        discard(Path(self._scratch))
        self._ended(self)

    def _watch(self) -> TaskOutcome:
        while True:
            left = self._began + self._limits.deadline - time.monotonic()
            ready = wait([self._child.answer, self._child.status], max(0.0, min(POLL_SECONDS, left)))
            if ready:
                return self._read_answer() if self._child.answer.poll() else self._explain_end()
            if left <= 0:
                limit = f"{self._limits.deadline:g} s (AUTOLEARN_TASK_SECONDS, or --deadline of a training)"
                return TaskBroken("deadline", f"The task took longer than {limit} and was ended.")
            if self._memory() - self._memory_before > self._limits.memory:
                limit = f"{self._limits.memory // MIB} MiB of memory ({OF_MEMORY})"
                return TaskBroken("memory-limit", f"The task used more than {limit} and was ended.")

    def _store(self, done: TaskDone, blobs: TaskBlobs) -> TaskOutcome:
        """Store what it has made; an outage lasts as long as it lasts, unless a caller waits or it is cancelled."""
        if self._child.orders is None:
            self._child.end()  # it needs no memory meanwhile, and changes nothing any more
        for failures in count(1):
            try:
                blobs.store_new(self._stop)
            except (NotAbleError, DiskReserveError) as outage:
                if self._stop.is_set():
                    break
                if failures == 1:
                    logger.warning("what a task has made cannot be stored yet: %s", outage.sentence)
                if self._in_call and failures == IN_CALL_ATTEMPTS:
                    return TaskBroken("error", outage.sentence)
            except OSError as failure:
                return TaskBroken("error", f"What the task has made cannot be stored: {failure.strerror}.")
            else:
                break
            self._stop.wait(PAUSES.pause(failures))
        return done

    def _read_answer(self) -> TaskOutcome:
        is_late = threading.Event()

        def end_late() -> None:
            is_late.set()
            self._child.end()

        half_an_answer = threading.Timer(ANSWER_SECONDS, end_late)
        try:
            with contextlib.suppress(RuntimeError):  # out of threads: then its deadline has to do
                half_an_answer.start()
            message = json.loads(self._child.answer.recv_bytes(LARGEST_ANSWER))
            return TaskDone(message["done"]) if "done" in message else TaskBroken(*message["broken"])
        except (EOFError, OSError):
            is_own_fault = is_late.is_set() or (not self._child.has_ended(GRACE) and self._child.is_alive())
            return NO_WHOLE_ANSWER if is_own_fault else self._explain_end()
        except (ValueError, KeyError, TypeError, RecursionError):
            return TaskBroken("error", "The task process gave an answer that cannot be read.")
        finally:
            half_an_answer.cancel()

    def _explain_end(self) -> TaskOutcome:
        code = self._child.exit_code()
        if code is None:
            return TaskBroken("killed", "The process that makes task processes was killed, and the task's with it.")
        if code >= 0:
            return TaskBroken("crashed", f"The task process ended with exit code {code} and without an answer.")
        name = signal.strsignal(-code) or f"signal {-code}"
        hint = ", perhaps because the machine ran out of memory" if -code == signal.SIGKILL else ""
        reason = "crashed" if -code in FAULTS else "killed"
        return TaskBroken(reason, f"The task process was ended by a signal ({name}){hint}.")

    def _memory(self) -> int:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
        except (OSError, IndexError):
            return 0


def measure(kind: str, outcome: TaskOutcome, seconds: float) -> None:
    """Measure a task for `/metrics`; its reason comes from the child, which may say anything."""
    reason = outcome.reason if isinstance(outcome, TaskBroken) else "completed"
    TASK_SECONDS.labels(kind, reason if reason in OUTCOMES else "error").observe(seconds)


class UnstartedTask:
    """A task whose process could not be made."""

    pid = 0

    def __init__(self, sentence: str) -> None:
        self._outcome = TaskBroken("killed", sentence)

    def result(self) -> TaskOutcome:
        """Return why."""
        return self._outcome

    def cancel(self) -> None:
        """There is nothing to end."""

    def go_on(self, _: TaskSpec) -> bool:
        """Say that it does no other task either."""
        return False

    def close(self) -> None:
        """There is nothing to end."""
