"""Tasks in figures, for whoever operates the backend: what waits, and what this process began, took over and lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock


@dataclass
class TaskFigures:
    """Counted since the process began, by kind of task; safe from any thread.

    `attempts` also by number, `taken_over` of those the ones that another process had lost, `lost` the tasks that
    failed as their last attempt was lost. `waiting` gives kind and time of what waits here, as the event worker knows.
    """

    attempts: Counter[tuple[str, int]] = field(default_factory=Counter)
    taken_over: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    waiting: Callable[[], Iterable[tuple[str, datetime]]] = tuple
    _lock: Lock = field(default_factory=Lock)

    def count_attempt(self, kind: str, attempt: int) -> None:
        with self._lock:
            self.attempts[kind, attempt] += 1

    def count_taken_over(self, kind: str) -> None:
        with self._lock:
            self.taken_over[kind] += 1

    def count_lost(self, kind: str) -> None:
        with self._lock:
            self.lost[kind] += 1
