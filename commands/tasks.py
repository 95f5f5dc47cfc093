"""The tasks that run in this process: each is watched by a thread, and each end becomes an event.

The claim is the `…-started` event: who appended it runs the task; a late result is refused by the aggregate.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Lock, Thread

from commands.ports import Ports, RunningTask, TaskBroken, TaskDone, TaskOutcome
from commands.specifications import specification
from commands.wrappers import Desk, Work
from domain.errors import AutoLearnError, ConflictError
from domain.experiment import Experiment
from domain.values import Training, experiment_stream

log = logging.getLogger(__name__)


@dataclass
class Watched:
    """A task of this process: its child once it is started, and whether its end is in the log."""

    task: str
    ended: Signal = field(default_factory=Signal)
    child: RunningTask | None = None
    cancelled: bool = False


class Tasks:
    """Runs claimed tasks, one child process and one watching thread each."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._lock = Lock()
        self._watched: dict[str, Watched] = {}
        self._closed = False

    def run(self, experiment: str, task: str, attempt: int, desk: Desk) -> None:
        """Run a task that this process has claimed in a slot it has taken; returns at once."""
        watched = Watched(task)
        with self._lock:
            self._watched[task] = watched
        Thread(target=self._watch, args=(watched, experiment, attempt, desk), name=f"task {task}", daemon=True).start()

    def wait(self, task: str, timeout: float) -> bool:
        """Wait for the end of a task that runs here; True where its end is in the log or it does not run here."""
        with self._lock:
            watched = self._watched.get(task)
        return watched is None or watched.ended.wait(timeout)

    def cancel(self, task: str) -> None:
        """Kill the child of a task whose end is in the log already; nothing where it does not run here."""
        with self._lock:
            watched = self._watched.get(task)
            if watched is None:
                return
            watched.cancelled = True
            child = watched.child
        if child is not None:
            child.cancel()

    def running(self) -> list[str]:
        """List the tasks that run here."""
        with self._lock:
            return list(self._watched)

    def close(self) -> None:
        """End all children without recording an end: the next start finds their tasks in the log and runs them."""
        self._closed = True
        for task in self.running():
            self.cancel(task)

    def _watch(self, watched: Watched, experiment: str, attempt: int, desk: Desk) -> None:
        try:
            outcome = self._outcome(watched, experiment)
            self.ports.launcher.free_slot()  # before the append that wakes who waits for a slot
            if not (self._closed or watched.cancelled):
                _record_end(desk, experiment, watched.task, attempt, outcome)
        except AutoLearnError as refused:
            log.warning("the end of %s could not be recorded: %s", watched.task, refused.sentence)
        except Exception:
            log.exception("task %s", watched.task)
        finally:
            with self._lock:
                self._watched.pop(watched.task, None)
            watched.ended.set()

    def _outcome(self, watched: Watched, experiment: str) -> TaskOutcome:
        try:
            work = Work(self.ports.store)
            spec = specification(work, work.get(Experiment, experiment_stream(experiment)), watched.task)
            child = self.ports.launcher.start(spec)
            with self._lock:
                watched.child = child
                if watched.cancelled:
                    child.cancel()
            return child.result()
        except Exception as failure:
            log.exception("task %s could not be run", watched.task)
            return TaskBroken("error", f"The task could not be run: {type(failure).__name__}.")


def _record_end(desk: Desk, name: str, task: str, attempt: int, outcome: TaskOutcome) -> None:
    worker = desk.ports.worker

    def end(work: Work) -> None:
        experiment = work.get(Experiment, experiment_stream(name))
        it = experiment.tasks[task]
        if not it.is_unfinished or experiment.standing == "discarded":
            return  # cancelled or discarded meanwhile: that was its end
        if isinstance(outcome, TaskBroken):
            experiment.fail(task, attempt, outcome.reason, outcome.detail)
        else:
            _complete(experiment, task, attempt, worker, outcome)

    try:
        desk.decide(end)
    except ConflictError as late:
        log.info("%s", late.sentence)


def _complete(experiment: Experiment, task: str, attempt: int, worker: str, done: TaskDone) -> None:
    kind, facts = experiment.tasks[task].kind, done.facts
    if kind == "training":
        experiment.complete_training(attempt, worker, Training.model_validate(facts))
    elif kind == "evaluation":
        experiment.complete_evaluation(task, attempt, worker, facts["measures"])
    else:
        experiment.complete_reproduction(task, attempt, worker, facts["verdict"], facts["differences"])
