"""A whole distributed installation, warm: a train call through nginx, visibility, takeover, memory by process.

Servers are those of AUTOLEARN_TEST_KAFKA and AUTOLEARN_TEST_MONGODB, or else of its own.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from benchmarks import Figure
from benchmarks.memory import family_pss, pss
from benchmarks.train import childs_own
from tests.end_to_end.fleet import Fleet, serving, until
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer

ROUNDS: Final = 40
TAKEOVERS: Final = 5
MILLI: Final = 1000
KINDS: Final = (("relay",), ("project",), ("work", "training"), ("serve", "training"), ("serve", "storage"))


def measure() -> Iterable[Figure]:
    """Return the figures of the distributed mode as a whole."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, servers(Path(folder)) as (kafka, mongodb):
        place = Path(folder) / "data"
        place.mkdir()
        fleet = Fleet(place, kafka, mongodb, f"bench-{uuid4().hex[:8]}")
        with serving(fleet):
            try:
                fleet.start_all()
                for standby in ("relay", "project"):
                    fleet.start(standby)
                yield from _figures(fleet)
            finally:
                fleet.stop()


@contextmanager
def servers(folder: Path) -> Iterator[tuple[str, str]]:
    """Use the servers that the environment names, or run some."""
    given = os.environ.get("AUTOLEARN_TEST_KAFKA"), os.environ.get("AUTOLEARN_TEST_MONGODB")
    if given[0] and given[1]:
        yield given[0], given[1]
        return
    kafka, mongodb = KafkaServer(folder / "kafka"), MongoServer(folder / "mongodb")
    try:
        kafka.start()
        mongodb.start()
        yield kafka.url, mongodb.url
    finally:
        kafka.kill()
        mongodb.kill()


def _figures(fleet: Fleet) -> Iterable[Figure]:
    fleet.client("bench", "analyst", "sys-admin")
    client = _client(fleet, "bench")
    wanted = {"dataset": "iris", "model": "logistic-regression"}
    whole = _p50(lambda: client.post("trainings", body=wanted))
    client.post("session", "commit")
    yield Figure("train iris over REST through nginx, warm, p50", whole, "ms", "<= 150")
    yield Figure("- of it beyond the child's own read, fit and blobs", whole - childs_own(), "ms", "<= 60")
    yield Figure("command answered -> visible in the read model, p50", _visible(client), "ms", "<= 20")
    yield Figure("history, newest, through nginx, p50", _p50(lambda: client.get("experiments")), "ms")
    for words in KINDS:
        member = fleet.of(*words)[0]
        yield Figure(f"`{' '.join(words)}`, PSS", pss(member.process.pid), "MiB")
    training = fleet.of("serve", "training")[0].process.pid
    yield Figure("`serve training` with its warm forkserver, PSS", family_pss(training), "MiB", "<= 320")
    for kind in ("relay", "project"):
        times = [_takeover(fleet, client, kind) for _ in range(TAKEOVERS)]
        what = f"kill -9 of the `{kind}` in charge -> next command visible, p50"
        yield Figure(what, statistics.median(times), "s", "<= 2")


def _visible(client: BackendClient) -> float:
    """Return the p50 in ms from a command's answer to a query that sees it (the query's own way included)."""
    times = []
    for n in range(ROUNDS):
        client.post("clients", body={"client": f"c{n}", "roles": ["analyst"]})
        begin = time.perf_counter()
        client.get("catalog")  # with `after_position` of what was just told
        times.append((time.perf_counter() - begin) * MILLI)
    return statistics.median(times) - _p50(lambda: client.get("catalog"))


def _takeover(fleet: Fleet, client: BackendClient, kind: str) -> float:
    in_charge = next(member for member in fleet.of(kind) if member.in_charge)
    begin = time.perf_counter()
    in_charge.kill()
    client.post("clients", body={"client": f"t{uuid4().hex[:12]}", "roles": ["analyst"]})
    client.get("catalog")
    took = time.perf_counter() - begin
    fleet.start(kind)
    until(lambda: any(member.in_charge for member in fleet.of(kind)))
    return took


def _client(fleet: Fleet, name: str) -> BackendClient:
    file = fleet.folder / f"{name}.json"
    credentials = Credentials.read(file)
    return BackendClient(fleet.url, credentials, Positions.of(file, fleet.url, credentials.client, credentials.key))


def _p50(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * MILLI)
    return statistics.median(times)
