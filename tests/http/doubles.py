"""Doubles of what lies outside a backend: a clock to be set, prepared tasks and inspections, a plain projection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

from adapters.audit_log.system_records import SystemRecorder
from adapters.tasks.launcher import Slots
from commands.cancellation import Cancellation
from commands.ports import TaskBroken, TaskDone, TaskOutcome, TaskSpec
from projections.fold import ProjectionUpdater
from projections.ports import Documents, Feed
from tests.http.outcomes import OUTCOMES


class SetClock:
    """The time of day, put forward or back."""

    offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class PreparedTask:
    """Ends with its prepared outcome once the launcher lets it."""

    pid = 1

    def __init__(self, outcome: TaskOutcome, may_end: Event) -> None:
        self._outcome, self._may_end, self._cancelled = outcome, may_end, False

    def result(self) -> TaskOutcome:
        self._may_end.wait(30)
        return TaskBroken("cancelled", "The task was cancelled.") if self._cancelled else self._outcome

    def cancel(self) -> None:
        self._cancelled = True
        self._may_end.set()

    def go_on(self, _: TaskSpec) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to end."""


class PreparedLauncher(Slots):
    """Knows the outcome of every kind of task beforehand; `may_end` holds them back."""

    def __init__(self) -> None:
        super().__init__(8)
        self.may_end = Event()
        self.may_end.set()
        self.outcomes: dict[str, TaskOutcome] = {kind: TaskDone(facts) for kind, facts in OUTCOMES.items()}
        self.started: list[TaskSpec] = []

    def start(self, spec: TaskSpec, *, stays: bool = False) -> PreparedTask:
        self.started.append(spec)
        return PreparedTask(self.outcomes[spec.kind], self.may_end)


@dataclass
class PreparedInspector:
    """Says what a test prepared."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusal: Exception | None = None
    cancellations: list[Cancellation] = field(default_factory=list)

    def run(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation) -> Iterator[dict[str, Any]]:
        self.asked.append((kind, arguments))
        self.cancellations.append(cancellation)
        if self.refusal is not None:
            raise self.refusal
        yield from self.steps

    def end_all(self) -> None:
        """None of them lasts."""


class Projecting:
    """Folds the log into the documents, in a thread."""

    def __init__(self, feed: Feed, documents: Documents) -> None:
        self.feed, self.documents, self._stop = feed, documents, Event()
        self.paused = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        updater = ProjectionUpdater(self.feed, self.documents)
        while not self._stop.is_set():
            if not self.feed.wait_beyond(self.documents.position(), 0.02) or self.paused.is_set():
                self._stop.wait(0.005)
                continue
            updater.step(500)


class SilentRecorder(SystemRecorder):
    """Keeps what the event worker does out of the audit log, so that tests see their own calls alone."""

    def record_event(self, event: Any, position: int, outcome: str, milliseconds: float) -> None:
        """Keep nothing."""
