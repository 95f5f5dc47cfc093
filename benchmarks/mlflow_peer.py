"""Beside MLflow, both servers warm: from the shell to a model on disk; pages of 10k and 100k runs; memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.errors import ProblemError
from autolearn.positions import Positions
from benchmarks import Figure, many, memory, mlflow_server
from cli.up import STOP_SECONDS, start_backend
from domain.errors import NotReachedError
from server.compose.embedded import EVENTS

SCRIPT = Path(__file__).parent / "mlflow_script.py"
AUTOLEARN = Path(sys.executable).with_name("autolearn")
SHELL_ROUNDS = 5
PAGE_ROUNDS = 25
CATCH_UP_SECONDS = 600.0
TRAIN = ("train", "iris", "logistic-regression", "-p", "C=0.5")
ONE_CALL = ((*TRAIN, "--evaluate", "--commit"),)
THREE_CALLS = (TRAIN, ("evaluate", "-m", "precision", "-m", "recall"), ("commit",))
# The same questions in both languages: query of AutoLearn, body of MLflow's search.
NEWEST = ["attributes.start_time DESC"]
PAGES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "newest 100": ({}, {"order_by": NEWEST}),
    "one model, newest 100": ({"model": "svm"}, {"filter": "params.model = 'svm'", "order_by": NEWEST}),
    "precision > 0.9 and C = 10, best 100": (
        {"where": "precision > 0.9 and C = 10", "sort": "-precision"},
        {"filter": "metrics.precision > 0.9 and params.C = '10'", "order_by": ["metrics.precision DESC"]},
    ),
}


@contextmanager
def autolearn(data: Path) -> Iterator[tuple[str, int]]:
    """Run a backend on a data directory; yields its URL and process."""
    process, url = start_backend(data, 0)
    try:
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def seconds(action: Callable[[], object]) -> float:
    """Return how long it took."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def from_shell(url: str, data: Path, calls: Sequence[Sequence[str]]) -> Callable[[], None]:
    """Return calls of AutoLearn's command line, each a process of its own."""
    environment = {**os.environ, "AUTOLEARN_URL": url, "AUTOLEARN_DATA": str(data)}

    def run_calls() -> None:
        for call in calls:
            subprocess.run([AUTOLEARN, *call], env=environment, check=True, capture_output=True)

    return run_calls


def from_script(server: mlflow_server.Server, *options: str) -> Callable[[], None]:
    """Return the run of the script with MLflow's sklearn flavour, a process of its own."""
    command = [str(mlflow_server.PROGRAMS / "python"), str(SCRIPT), server.url, "shell", *options]

    def one_script() -> None:
        subprocess.run(command, env=mlflow_server.ENVIRONMENT, check=True, capture_output=True)

    return one_script


def shell_figures(folder: Path) -> Iterator[Figure]:
    """Compare the way from the shell to a trained, evaluated, kept model, and memory after it."""
    with mlflow_server.running(folder) as server, autolearn(folder / "shell") as (url, pid):
        ways = (
            from_shell(url, folder / "shell", ONE_CALL),
            from_shell(url, folder / "shell", THREE_CALLS),
            from_script(server),
            from_script(server, "lean"),
        )
        rounds = [[seconds(way) for way in ways] for _ in range(SHELL_ROUNDS + 1)][1:]  # the first warms all
        ours, three, plain, lean = (statistics.median(column) for column in zip(*rounds, strict=True))
        what = "from the shell to a trained, evaluated, committed model"
        yield Figure(what, ours * 1000, "ms", "", "one CLI call, p50")
        yield Figure(f"{what}: MLflow's script / AutoLearn", plain / ours, "x", ">= 25", f"MLflow {plain:.2f} s")
        yield Figure(
            "three CLI calls: MLflow's script / AutoLearn", plain / three, "x", ">= 20", f"{three * 1000:.0f} ms"
        )
        note = f"MLflow {lean:.2f} s: the script states the model's dependencies"
        yield Figure(f"{what}: MLflow's leanest script / AutoLearn", lean / ours, "x", "", note)
        mine, theirs = memory.family_pss(pid), memory.family_pss(server.pid)
        yield Figure("memory, warm, all processes", mine, "MiB PSS", "<= 320", "with forkserver and scikit-learn")
        yield Figure("memory, warm: MLflow's server / AutoLearn", theirs / mine, "x", "", f"MLflow {theirs:.0f} MiB")


def client_of(url: str, data: Path, position: int) -> BackendClient:
    """Return a client as the command line makes it, once the read models have reached the position."""
    file = data / "credentials.json"
    credentials = Credentials.read(file)
    positions = Positions.of(file, url, credentials.client, credentials.key)
    positions.advance(position)  # so that the client asks for this position or later
    client = BackendClient(url, credentials, positions)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while True:
        try:
            client.get("session")
        except ProblemError as problem:
            if problem.slug != NotReachedError.slug or time.monotonic() > deadline:
                raise
        else:
            return client


def page_figures(folder: Path, count: int) -> Iterator[Figure]:
    """Compare pages of this many finished runs, each asked over a connection of its own."""
    data = folder / "autolearn"
    with autolearn(data):
        pass  # the audit log begins with the first start: a log that has commits and no record of a call is refused
    database = Database(data / EVENTS)
    store = SqliteEventStore(database)
    many.fill(store, range(count))
    head, _ = store.end()
    database.close()
    with mlflow_server.running(folder) as server, autolearn(data) as (url, _):
        experiment = server.post("experiments/create", {"name": "many"})["experiment_id"]
        mlflow_server.fill(server, experiment, range(count))
        client = client_of(url, data, head)
        for name, (query, search) in PAGES.items():
            body = {"experiment_ids": [experiment], "max_results": 100, **search}
            ours = page_time(partial(our_page, client, query))
            theirs = page_time(partial(their_page, server, body))
            what = f"{name} of {count:,}"
            yield Figure(what, ours * 1000, "ms", "", "signed, sealed, over HTTP, as the client sees it; p50")
            yield Figure(f"{what}: MLflow / AutoLearn", theirs / ours, "x", "", f"MLflow {theirs * 1000:.0f} ms")


def our_page(client: BackendClient, query: dict[str, str]) -> list[Any]:
    """Ask AutoLearn."""
    return list(client.get("experiments", limit=100, **query).body["experiments"])


def their_page(server: mlflow_server.Server, body: dict[str, Any]) -> list[Any]:
    """Ask MLflow."""
    return list(server.post("runs/search", body)["runs"])


def page_time(ask: Callable[[], list[Any]]) -> float:
    """Return the median of a page's times; a page that is not full would compare nothing."""
    if len(ask()) != 100:  # noqa: PLR2004 - the page that is asked for
        raise RuntimeError("the page is not full")
    return statistics.median(seconds(ask) for _ in range(PAGE_ROUNDS))


def measure() -> Iterator[Figure]:
    """Measure all, each on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="autolearn-peer-") as name:
        folder = Path(name)
        for part in ("shell", "10k", "100k"):
            (folder / part).mkdir()
        yield from shell_figures(folder / "shell")
        yield from page_figures(folder / "10k", 10_000)
        yield from page_figures(folder / "100k", 100_000)


if __name__ == "__main__":
    for figure in measure():
        print(figure)
