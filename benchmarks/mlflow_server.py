"""An MLflow tracking server for comparison: on loopback, SQLite behind it, artifacts written to files by its clients.

That is its best configuration on one machine: one worker process (more take the cores from each other), no proxying
of artifacts, no job workers, no telemetry.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

PROGRAMS = Path(__file__).parents[1] / ".venv-bench" / "bin"
ENVIRONMENT = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
START_SECONDS = 90.0
MODELS = ("logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes")
SETTINGS = {"penalty": "l2", "solver": "lbfgs", "max_iter": "100", "tol": "0.0001", "fit_intercept": "True"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, its database and its process."""

    port: int
    database: Path
    pid: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Call its REST API, over a connection of its own as AutoLearn's client does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            content = {"Content-Type": "application/json"}
            connection.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(body), content)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise RuntimeError(answer.decode())
        return json.loads(answer)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server whose files are in a folder; its process group ends with the block."""
    port, database = free_port(), folder / "mlflow.db"
    command = [str(PROGRAMS / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{database}", "--no-serve-artifacts"]
    command += ["--default-artifact-root", (folder / "artifacts").as_uri()]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    try:
        wait_until_it_answers(port, process)
        yield Server(port, database, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the server is healthy."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the MLflow server did not start")


def fill(server: Server, experiment: str, numbers: range) -> None:
    """Write finished runs straight into the server's tables: its API would take hours for 100,000."""
    chance = random.Random(numbers.start)  # noqa: S311 - made-up measures
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in INSERTS}
    for number in numbers:
        run = UUID(int=chance.getrandbits(128)).hex
        at = 1_700_000_000_000 + number * 1000
        rows["runs"].append((run, f"run-{number}", at, at + 900, f"file:///none/{run}", experiment))
        settings = {"C": str((1, 10, 100)[number % 3]), "model": MODELS[number % 5], "seed": str(number), **SETTINGS}
        rows["params"] += [(key, value, run) for key, value in settings.items()]
        measures = [(key, chance.random(), at, run) for key in ("precision", "recall")]
        rows["metrics"] += measures
        rows["latest_metrics"] += measures
        rows["tags"] += [("mlflow.user", "ana", run), ("mlflow.runName", f"run-{number}", run)]
    with sqlite3.connect(server.database) as connection:
        for table, statement in INSERTS.items():
            connection.executemany(statement, rows[table])
        connection.execute("ANALYZE")


INSERTS = {
    "runs": "INSERT INTO runs(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
    " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
    " VALUES (?, ?, 'UNKNOWN', '', '', 'ana', 'FINISHED', ?, ?, '', 'active', ?, ?)",
    "params": "INSERT INTO params(key, value, run_uuid) VALUES (?, ?, ?)",
    "metrics": "INSERT INTO metrics(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, 0, 0)",
    "latest_metrics": "INSERT INTO latest_metrics(key, value, timestamp, run_uuid, step, is_nan)"
    " VALUES (?, ?, ?, ?, 0, 0)",
    "tags": "INSERT INTO tags(key, value, run_uuid) VALUES (?, ?, ?)",
}
