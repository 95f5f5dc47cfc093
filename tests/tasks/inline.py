"""The launcher's in-process twin for fast tests: a task is a thread, with the same outcomes."""

from __future__ import annotations

import os
import threading

from adapters.files.blobs import FileBlobs
from adapters.learning.run_task import run_task
from adapters.tasks.launcher import Slots
from commands.ports import RunningTask, TaskBroken, TaskOutcome, TaskSpec


class InlineTask:
    """Fulfils commands.ports.RunningTask; a cancelled thread runs to its end, but nobody hears of it."""

    def __init__(self, spec: TaskSpec, blobs: FileBlobs) -> None:
        self.pid = os.getpid()
        self._ended = threading.Event()
        self._outcome: TaskOutcome | None = None
        self._deciding = threading.Lock()
        threading.Thread(target=self._run, args=(spec, blobs), name=f"task {spec.kind}", daemon=True).start()

    def result(self) -> TaskOutcome:
        """Wait for the end and return how it ended."""
        self._ended.wait()
        return self._outcome or TaskBroken("error", "The task ended without an outcome.")

    def cancel(self) -> None:
        """End the wait."""
        self._end(TaskBroken("cancelled", "The task was cancelled."))

    def go_on(self, _: TaskSpec) -> bool:
        """A thread does one task."""
        return False

    def close(self) -> None:
        """There is nothing to end."""

    def _run(self, spec: TaskSpec, blobs: FileBlobs) -> None:
        self._end(run_task(spec.kind, spec.facts, blobs))

    def _end(self, outcome: TaskOutcome) -> None:
        with self._deciding:
            self._outcome = self._outcome or outcome
        self._ended.set()


class InlineLauncher(Slots):
    """Fulfils commands.ports.Launcher without a process; deadline and memory limit are not enforced."""

    def __init__(self, blobs: FileBlobs, slots: int) -> None:
        super().__init__(slots)
        self._blobs = blobs

    def prepare(self) -> None:
        """Nothing has to be prepared."""

    def start(self, spec: TaskSpec, *, stays: bool = False) -> RunningTask:
        """Start a thread for the task."""
        return InlineTask(spec, self._blobs)

    def close(self) -> None:
        """Nothing has to be ended."""
