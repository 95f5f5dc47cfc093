"""An event worker on a stage, driven step by step, and what it records."""

from __future__ import annotations

from collections.abc import Callable

from commands.event_worker import LOST_CHECK_SECONDS, RECHECK_SECONDS, EventWorker
from commands.task_owners import load_owner
from commands.waiting_tasks import ALL_KINDS
from domain.events import Event
from domain.experiment import Experiment
from tests.commands.stage import Stage


class RecordedEvents:
    """Fulfils commands.ports.HandledEvents."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    def record_event(self, event: Event, position: int, outcome: str, milliseconds: float) -> None:
        assert position > 0
        assert milliseconds >= 0
        self.entries.append((event.NAME.rpartition(".")[0], outcome))


class LogOpenTasks:
    """Fulfils commands.ports.OpenTasks from the log itself."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def list_unfinished(self, timeout: float) -> list[str]:
        streams = [*self.stage.store.streams("experiment:", 1000), *self.stage.store.streams("search:", 1000)]
        owners = [load_owner(self.stage.store, stream) for stream in streams]
        return [task.id for owner in owners for task in owner.unfinished_tasks()]


def by_other_workers(stage: Stage) -> Callable[[str], bool]:
    """Take all other workers for dead, as the embedded mode does."""
    return lambda worker: worker != stage.application.ports.worker


class Worker:
    """A stage's event worker, and what it recorded."""

    def __init__(
        self, stage: Stage, is_lost: Callable[[str], bool] | None = None, kinds: frozenset[str] = ALL_KINDS
    ) -> None:
        self.recorded = RecordedEvents()
        lost = is_lost or by_other_workers(stage)
        self.worker = EventWorker(
            stage.application, stage.feed, LogOpenTasks(stage), self.recorded, is_lost=lost, kinds=kinds
        )
        self.stage = stage

    def step(self) -> Worker:
        self.worker.step()
        return self

    def check_lost(self) -> Worker:
        """Let the next step look at whether the others' workers are alive."""
        self.worker._lost_checked = -LOST_CHECK_SECONDS
        return self

    def recheck(self) -> Worker:
        """Let the next step look at whether the topic has told all."""
        self.worker._rechecked = -RECHECK_SECONDS
        return self

    def take_over(self) -> Worker:
        """Start where the log is, as after a restart, without its thread."""
        self.worker.position = self.stage.store.end()[0]
        self.worker._take_over(0)
        return self.step()


def state(experiment: Experiment, task: str) -> tuple[str, int]:
    """Return a task's state and attempt."""
    return experiment.tasks[task].state, experiment.tasks[task].attempt
