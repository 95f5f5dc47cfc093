"""Training iris by logistic regression in a warm task process: the child's own time, the whole task, and memory."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from adapters.learning.tables.builtin import BUILTIN
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from benchmarks import Figure
from commands.ports import TaskDone, TaskSpec

ROUNDS = 60
MILLI = 1000


def measure() -> Iterable[Figure]:
    """Return the figures; what a train call takes beyond them is the backend's own."""
    with tempfile.TemporaryDirectory() as folder:
        launcher = ProcessLauncher(
            f"{folder}/blobs", f"{folder}/scratch", slots=1, limits=Limits(deadline=3600, memory=4 << 30)
        )
        try:
            begin = time.perf_counter()
            launcher.prepare()
            facts = _facts(launcher)
            cold = time.perf_counter() - begin
            whole, fits = _trainings(launcher, facts)
            empty = _p50(lambda: _run(launcher, "fit", refused(facts)))
            yield Figure("task of training iris, warm, whole (start to answer), p50", whole, "ms", "<= 90")
            yield Figure("- of it: the child's read, fit and blobs, p50", whole - empty, "ms")
            yield Figure("- of it: scikit-learn's fit alone, p50", fits, "ms")
            yield Figure("- of it: process made, order sent, answer back, p50", empty, "ms", note="a refused task")
            yield Figure("forkserver started, loaded and warm, first data set ingested", cold, "s")
            yield Figure("forkserver and resource tracker, warm, PSS", _memory(launcher), "MiB", "<= 240")
        finally:
            launcher.close()


def childs_own() -> float:
    """Return the p50 in ms of what a child itself does for a training of iris: read, fit, write blobs."""
    with tempfile.TemporaryDirectory() as folder:
        launcher = ProcessLauncher(
            f"{folder}/blobs", f"{folder}/scratch", slots=1, limits=Limits(deadline=3600, memory=4 << 30)
        )
        try:
            facts = _facts(launcher)
            return _trainings(launcher, facts)[0] - _p50(lambda: _run(launcher, "fit", refused(facts)))
        finally:
            launcher.close()


def refused(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts that the child refuses at once: what is left is the process and its pipe."""
    return {**facts, "settings": {"nothing": 1}}


def _facts(launcher: ProcessLauncher) -> dict[str, Any]:
    target = BUILTIN["iris"].target
    stored = _run(launcher, "ingest", {"builtin": "iris", "target": target})
    return {
        "experiment": "a" * 16,
        "model": {"name": "logistic-regression", "version": "", "distribution": "autolearn"},
        "settings": {},
        "preparation": 2,  # the rules of new trainings
        "seed": 1,
        "test_size": 0.25,
        "dataset": {"name": "iris", "version": 1, "sha256": stored["blob"]["sha256"]},
        "target": target,
    }


def _trainings(launcher: ProcessLauncher, facts: dict[str, Any]) -> tuple[float, float]:
    fits: list[float] = []
    whole = _p50(lambda: fits.append(_run(launcher, "fit", facts)["fit_seconds"] * MILLI))
    return whole, statistics.median(fits)


def _p50(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * MILLI)
    return statistics.median(times)


def _run(launcher: ProcessLauncher, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    outcome = launcher.start(TaskSpec(kind, facts)).result()
    return outcome.facts if isinstance(outcome, TaskDone) else {}


def _memory(launcher: ProcessLauncher) -> float:
    tracker: Any = resource_tracker._resource_tracker  # noqa: SLF001 - no public way
    return sum(_pss(pid) for pid in (launcher.forkserver_pid, tracker._pid))  # noqa: SLF001 - idem


def _pss(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
