"""What ends with its call: a task or another process that nobody needs once the caller is gone."""

from __future__ import annotations

from threading import Lock
from typing import Protocol, TypeVar


class Cancellable(Protocol):
    """What can be ended at any time, from any thread."""

    def cancel(self) -> None:
        """End it."""
        ...


C = TypeVar("C", bound=Cancellable)


class Lifeline:
    """Between a call and the task that belongs to it; safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._task: Cancellable | None = None
        self.is_cut = False

    def hold(self, task: C) -> C:
        """Tie a task that was just started to the call."""
        with self._lock:
            self._task = task
            cut = self.is_cut
        if cut:
            task.cancel()
        return task

    def cut(self) -> None:
        """Cancel the task, or the one that comes."""
        with self._lock:
            self.is_cut = True
            task = self._task
        if task is not None:
            task.cancel()
