"""Launcher of task processes: a forkserver with scikit-learn loaded, one child per task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from uuid import uuid4

from adapters.files.blobs import folder_of
from adapters.host.memory import machine_memory
from adapters.host.private_files import discard
from adapters.tasks.child import TaskOrder
from adapters.tasks.confinement import Confinement
from adapters.tasks.forkserver import Forkserver
from adapters.tasks.running import Limits, TaskBlobs, TaskProcess, UnstartedTask
from commands.ports import OfferName, RunningTask, TaskSpec
from domain.errors import AutoLearnError, NotAbleError

STOPPING = "The backend is stopping: no task is started any more."


class Slots:
    """Counts the free slots for fits, scores and reproductions; safe from any thread. Ingest and describe take none."""

    def __init__(self, number: int, installed: Callable[[str, str], bool] | None = None) -> None:
        if number < 1:
            raise ValueError(f"{number} slots: at least one is needed.")
        self.most_memory = machine_memory()
        self._installed = installed
        self._free = threading.BoundedSemaphore(number)

    def take_slot(self) -> bool:
        """Reserve a slot if one is free."""
        return self._free.acquire(blocking=False)

    def can_run(self, needs: Iterable[OfferName]) -> bool:
        """Tell whether what a task needs is installed here; yes where nothing is known of it."""
        return self._installed is None or all(self._installed(kind, name) for kind, name in needs)

    def free_slot(self) -> None:
        """Give a reserved slot back; raises ValueError for one that was not reserved."""
        self._free.release()


class ProcessLauncher(Slots):
    """Fulfils commands.ports.Launcher. `scratch` is a folder for temporary files.

    `blobs`: the folder that all tasks share, or what makes a folder of its own for each, where blobs are elsewhere.
    `installed(kind, name)`: whether this machine has the model or measure; None if it is the only machine.
    A caller of `start` must call `result` on the returned task: it watches the limits and ends the child.
    """

    def __init__(
        self,
        blobs: str | Callable[[Path], TaskBlobs],
        scratch: str,
        slots: int,
        limits: Limits,
        installed: Callable[[str, str], bool] | None = None,
        *,
        confinement: Confinement = Confinement(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(slots, installed)
        self._blobs = str(folder_of(blobs)) if isinstance(blobs, str) else blobs
        self._scratch = Path(scratch).absolute()
        self._limits = limits
        self._confinement = confinement
        self._forkserver = Forkserver()
        self._running: set[TaskProcess] = set()
        self._changing = threading.Lock()
        self._closed = False
        self._stopping = threading.Event()

    def prepare(self) -> None:
        """Start the forkserver and return at once, as it loads scikit-learn by itself; `start` would do it and wait."""
        with self._changing:
            if not self._closed:
                self._forkserver.prepare()

    @property
    def confinement(self) -> str:
        """How far tasks are confined, in words."""
        return self._confinement.describe()

    @property
    def forkserver_pid(self) -> int | None:
        """The pid of the forkserver, for memory reports; None before it runs."""
        return self._forkserver.pid

    def start(self, spec: TaskSpec, *, stays: bool = False) -> RunningTask:
        """Start a process for the task; raises NotAbleError where none can be made.

        Neither by a second forkserver, or while its blobs cannot be had. DiskReserveError: no room for them here.
        """
        area = self._scratch / uuid4().hex
        limits = Limits(spec.deadline or self._limits.deadline, spec.memory or self._limits.memory)
        if self._closed:
            return UnstartedTask(STOPPING)
        try:
            area.mkdir(parents=True, mode=0o700)
            blobs, order = self._order(spec, area, limits.memory, stays=stays)
            child = self._forkserver.start(order)
        except (OSError, EOFError) as error:
            discard(area)
            if self._closed:
                return UnstartedTask(STOPPING)
            raise NotAbleError(f"No task process can be made now: {type(error).__name__}: {error}") from error
        except AutoLearnError:
            discard(area)
            if self._closed:
                return UnstartedTask(STOPPING)
            raise
        task = TaskProcess(spec.kind, child, limits, str(area), self._forget, blobs=blobs, in_call=spec.in_call)
        with self._changing:
            self._running.add(task)
            stopping = self._closed
        if stopping:
            task.cancel()
        return task

    def close(self) -> None:
        """Cancel what runs, end the forkserver and all it started. Twice is harmless."""
        with self._changing:
            self._closed = True
            self._stopping.set()
            running = list(self._running)
        for task in running:
            task.cancel()
        for task in running:
            task.result()
        self._forkserver.close()

    def _order(self, spec: TaskSpec, area: Path, memory: int, *, stays: bool) -> tuple[TaskBlobs | None, TaskOrder]:
        """Bring the blobs of a task, where they are elsewhere, and return what its child is told."""
        if isinstance(self._blobs, str):
            return None, TaskOrder(spec.kind, spec.facts, self._blobs, str(area), memory, self._confinement, stays)
        scratch = area / "scratch"  # beside the blobs: what is in it the task may change
        scratch.mkdir(mode=0o700)
        blobs = self._blobs(area / "blobs")
        blobs.provide(spec.facts, self._stopping)
        return blobs, TaskOrder(
            spec.kind, spec.facts, str(blobs.folder), str(scratch), memory, self._confinement, stays
        )

    def _forget(self, task: TaskProcess) -> None:
        with self._changing:
            self._running.discard(task)


@lru_cache(maxsize=1)
def _installed_offers() -> frozenset[tuple[str, str]]:
    kinds = ("model", "measure")
    return frozenset((kind, entry.name) for kind in kinds for entry in entry_points(group=f"autolearn.{kind}s"))


def is_installed(kind: str, name: str) -> bool:
    """Whether an entry point of this environment has the name; nothing is imported for it."""
    return (kind, name) in _installed_offers()
