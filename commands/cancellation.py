"""Cancels the task or process that belongs to a call once its caller is gone."""

from __future__ import annotations

from threading import Lock
from typing import Protocol, TypeVar


class Cancellable(Protocol):
    def cancel(self) -> None:
        """End it; safe at any time, from any thread."""
        ...


C = TypeVar("C", bound=Cancellable)


class Cancellation:
    """Connects a call with its task; safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._task: Cancellable | None = None
        self.is_requested = False

    def attach(self, task: C) -> C:
        """Cancel this task with the call, or at once where that was requested before."""
        with self._lock:
            self._task = task
            is_late = self.is_requested
        if is_late:
            task.cancel()
        return task

    def request(self) -> None:
        """Cancel the attached task, or the one that is attached later."""
        with self._lock:
            self.is_requested = True
            task = self._task
        if task is not None:
            task.cancel()
