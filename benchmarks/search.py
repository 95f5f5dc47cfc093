"""A search of 60 candidates on five folds, from the shell, beside a script with GridSearchCV(n_jobs=2)."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from adapters.learning.warm import THREADS
from benchmarks import Figure
from benchmarks.flights import TARGET, write_flights
from cli.up import start_backend

AUTOLEARN = Path(sys.executable).with_name("autolearn")
SCRIPT = Path(__file__).with_name("search_script.py")
SAMPLE = 50_000
WINE = ("wine", "logistic-regression", "-p", f"C={','.join(map(repr, np.geomspace(0.001, 100, 60).tolist()))}")
FLIGHTS = (
    "flights", "gradient-boosting", "-p", "max_iter=20", "-p", "learning_rate=0.02,0.05,0.1,0.2,0.5",
    "-p", "max_leaf_nodes=7,15,31,63", "-p", "l2_regularization=0.0,0.1,1.0",
)  # fmt: skip
TOLERANCE = 0.001  # of the best mean


def measure() -> Iterable[Figure]:
    """Compare whole commands; sides take turns."""
    with tempfile.TemporaryDirectory(prefix="autolearn-search-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        process, url = start_backend(data, 0)
        environment = os.environ | {"AUTOLEARN_URL": url, "AUTOLEARN_DATA": str(data)}
        try:
            yield _compare(WINE, "wine", environment, 5, "<= 2")
            yield _compare(FLIGHTS, _add_flights(Path(folder), environment), environment, 1, "<= 1.1")
        finally:
            process.terminate()
            process.wait(30)


def _add_flights(folder: Path, environment: dict[str, str]) -> str:
    """Add a sample of the flights, and return it as a Parquet file."""
    write_flights(folder / "all.csv")
    sample = pd.read_csv(folder / "all.csv").sample(SAMPLE, random_state=1).reset_index(drop=True)
    sample.to_csv(folder / "flights.csv", index=False)
    sample["time_hour"] = pd.to_datetime(sample["time_hour"])
    sample.to_parquet(folder / "flights.parquet")
    _run(environment, AUTOLEARN, "dataset", "add", folder / "flights.csv", "--name", "flights", "--target", TARGET)
    return str(folder / "flights.parquet")


def _compare(search: tuple[str, ...], table: str, environment: dict[str, str], rounds: int, goal: str) -> Figure:
    single = environment | dict.fromkeys(THREADS, "1")  # as tasks have it, and joblib gives its processes
    ours, theirs = [], []
    for _ in range(rounds + 1):
        seconds, answer = _run(environment, AUTOLEARN, "search", *search, "--seed", "1", "--json")
        ours.append(seconds)
        best = json.loads(answer)["best"]["mean"]
        seconds, answer = _run(single, sys.executable, "-W", "ignore", SCRIPT, table)
        theirs.append(seconds)
        if abs(best - float(answer)) > TOLERANCE:
            raise RuntimeError(f"the best of {search[0]} is {best} here and {answer} there")
    mine, others = (statistics.median(times[1:]) for times in (ours, theirs))  # the first warms all
    what = f"search of 60 candidates on 5 folds, {search[0]}, {search[1]}: AutoLearn / GridSearchCV, wall"
    return Figure(what, mine / others, "x", goal, f"GridSearchCV {others:.2f} s, AutoLearn {mine:.2f} s")


def _run(environment: dict[str, str], *command: str | Path) -> tuple[float, str]:
    begin = perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return perf_counter() - begin, done.stdout
