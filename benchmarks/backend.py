"""A whole backend, warm: a train call over REST, commands of the CLI as whole processes, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from benchmarks import Figure
from benchmarks.memory import family_pss, pss
from benchmarks.train import childs_own
from cli.up import start_backend

ROUNDS = 40
MILLI = 1000


def measure() -> Iterable[Figure]:
    """Return the figures that a user of one machine notices."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        process, url = start_backend(data, 0)
        try:
            yield from _figures(process.pid, url, data)
        finally:
            process.terminate()
            process.wait(30)


def _figures(pid: int, url: str, data: Path) -> Iterable[Figure]:
    client = _client(url, data)
    wanted = {"dataset": "iris", "model": "logistic-regression"}
    whole = _p50(lambda: client.post("trainings", body=wanted))
    client.post("session", "commit")
    yield Figure("train iris, logistic regression, over REST, warm, p50", whole, "ms", "<= 150")
    yield Figure("- of it beyond the child's own read, fit and blobs", whole - childs_own(), "ms", "<= 60")
    run = _shell(url, data)
    yield Figure("`autolearn --help`, whole process, p50", _p50(lambda: run("--help")), "ms", "<= 120")
    yield Figure("`autolearn history`, whole process, p50", _p50(lambda: run("history")), "ms", "<= 200")
    yield Figure("backend without task processes, PSS", pss(pid), "MiB", "<= 80")
    yield Figure("backend with the warm forkserver, PSS", family_pss(pid), "MiB", "<= 320")


def _client(url: str, data: Path) -> BackendClient:
    credentials = Credentials.read(data / "credentials.json")
    return BackendClient(
        url, credentials, Positions.of(data / "credentials.json", url, credentials.client, credentials.key)
    )


def _shell(url: str, data: Path) -> Callable[[str], Any]:
    environment = os.environ | {"AUTOLEARN_URL": url, "AUTOLEARN_DATA": str(data)}
    program = str(Path(sys.executable).parent / "autolearn")
    return lambda word: subprocess.run([program, word], env=environment, stdout=subprocess.DEVNULL, check=True)


def _p50(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * MILLI)
    return statistics.median(times)
