"""Appends a second in MongoDB (w=majority, j=true), by threads of one process and by several processes at once.

Measured over the port: 2 events of 300 bytes a commit, each acknowledged. The server is that of AUTOLEARN_TEST_MONGODB,
or else one of its own.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final
from uuid import uuid4

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.mongo import Mongo
from benchmarks import Figure
from benchmarks.append import METADATA, Append, decided, rate
from commands.ports import AppendHeader
from tests.servers.mongod import MongoServer

ROUNDS: Final = 3
SECONDS: Final = 6.0  # how long several processes write at once
OPEN_RATE: Final = 300  # commits a second, whoever is how slow


@contextmanager
def fresh_store(uri: str, database: str | None = None) -> Iterator[Append]:
    """Give what appends decided events to a store, and drop its database unless it was given."""
    mongo = Mongo(uri, database or f"bench-{uuid4().hex[:12]}")
    store = MongoEventStore(mongo)
    try:
        yield lambda work: store.append(work[1], AppendHeader(work[0], work[0], METADATA))
    finally:
        if database is None:
            mongo.client.drop_database(mongo.name)
        mongo.close()


def timed(append: Append, milliseconds: list[float]) -> None:
    """Append once and note how long it took."""
    work = decided()
    started = time.perf_counter()
    append(work)
    milliseconds.append((time.perf_counter() - started) * 1000)


def write(append: Append, threads: int, begin: float, end: float, interval: float) -> list[float]:
    """Append from `begin` to `end` (time of day) with threads, each every `interval` seconds, out of step."""
    milliseconds: list[float] = []

    def work() -> None:
        phase = random.random()  # noqa: S311 - no secret
        for k in itertools.count():
            due = begin + interval * (k + phase)
            time.sleep(max(0.0, due - time.time()))
            if time.time() >= end:
                return
            timed(append, milliseconds)

    workers = [Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return milliseconds


def together(uri: str, processes: int, threads: int, rate_wanted: int = 0) -> list[float]:
    """Return the milliseconds of all appends that so many processes made within SECONDS."""
    database = f"bench-{uuid4().hex[:12]}"
    begin = time.time() + 1.5 + 0.4 * processes  # all have started by then
    interval = processes * threads / rate_wanted if rate_wanted else 0
    command = [sys.executable, "-m", "benchmarks.mongo_append", uri, database, str(threads), str(begin), str(interval)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    told = [process.communicate()[0] for process in started]
    mongo = Mongo(uri, database)
    mongo.client.drop_database(database)
    mongo.close()
    return [float(one) for lines in told for one in lines.split()]


def one_process(uri: str) -> Iterator[Figure]:
    """Measure threads of one process."""
    with fresh_store(uri) as append:
        rate(append, 32)
        for threads, goal in ((1, ""), (8, ""), (32, ">= 6000")):
            rates = [rate(append, threads) for _ in range(ROUNDS)]
            what = f"append, MongoDB w=majority, 1 process of {threads} thread{'s' if threads > 1 else ''}"
            yield Figure(what, statistics.median(rates), "commits/s", goal)


def several_processes(uri: str) -> Iterator[Figure]:
    """Measure processes that write against each other."""
    for processes, goal in ((2, ""), (4, ""), (8, ">= 3000")):
        milliseconds = together(uri, processes, 16)
        quantiles = statistics.quantiles(milliseconds, n=20)
        note = f"p50 {quantiles[9]:.1f} ms, p95 {quantiles[18]:.1f} ms"
        what = f"append, MongoDB w=majority, {processes} processes of 16 threads"
        yield Figure(what, len(milliseconds) / SECONDS, "commits/s", goal, note)


def open_load(uri: str) -> Iterator[Figure]:
    """Measure how long an append takes when the load is even, and does not wait for answers."""
    for processes, threads in ((1, 16), (8, 16)):
        quantiles = statistics.quantiles(together(uri, processes, threads, OPEN_RATE), n=20)
        what = f"append, MongoDB, {OPEN_RATE} a second in all from {processes} x {threads} threads, p50"
        yield Figure(what, quantiles[9], "ms", "<= 8", f"p95 {quantiles[18]:.1f} ms")


@contextmanager
def server() -> Iterator[str]:
    """Give the URI of a MongoDB."""
    if given := os.environ.get("AUTOLEARN_TEST_MONGODB"):
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        own = MongoServer(Path(folder))
        own.start()
        try:
            yield own.url
        finally:
            own.stop()


def measure() -> Iterator[Figure]:
    """Measure all of it."""
    with server() as uri:
        yield from one_process(uri)
        yield from several_processes(uri)
        yield from open_load(uri)


def writer() -> None:
    """Be one of several processes: URI, database, threads, begin, interval; print the milliseconds of each append."""
    uri, database, threads, begin, interval = sys.argv[1:]
    with fresh_store(uri, database) as append:
        start = float(begin)
        for one in write(append, int(threads), start, start + SECONDS, float(interval)):
            print(f"{one:.3f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        writer()
    else:
        for figure in measure():
            print(figure)
