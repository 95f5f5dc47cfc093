"""The relay from MongoDB to Kafka, commits a second and how soon an append is seen by who follows the topic.

The servers are those of AUTOLEARN_TEST_MONGODB and AUTOLEARN_TEST_KAFKA, or else ones of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics, topics_of
from benchmarks import Figure
from benchmarks.append import METADATA, decided
from commands.ports import AppendHeader
from tests.servers.fixtures import delete_topics, drop_database
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import Server

COMMITS: Final = 20_000  # of 1 to 3 events
WRITERS: Final = 16
ROUNDS: Final = 3
APPENDS: Final = 300
BETWEEN_SECONDS: Final = 0.02
TIMEOUT_SECONDS: Final = 10.0
ROOT: Final = Path(__file__).parents[1]
INSTALLATION: Final = "ab" * 16
RELAY: Final = """
import sys
from benchmarks.relay import open_relay
with open_relay(*sys.argv[1:]) as relay:
    print("ready", flush=True)
    while True:
        if not relay.step():
            relay.wait(0.5)
"""


@contextmanager
def open_relay(mongodb: str, kafka: str, database: str, topic: str = "") -> Iterator[Relay]:
    """Give a relay of a database's log, by default to its own topic."""
    mongo = Mongo(mongodb, database)
    name = topic or topics_of(database)[0]
    source = LogSource(MongoFeed(mongo), EVENT_LOG, origin(database, INSTALLATION))
    with Relay(kafka, name, name, source) as relay:
        yield relay
    mongo.close()


@contextmanager
def server(kind: type[Server], named: str) -> Iterator[str]:
    """Give the URL of the server that the environment names, or of one started for this run."""
    given = os.environ.get(named)
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        started = kind(Path(folder) / "server")
        started.start()
        try:
            yield started.url
        finally:
            started.stop()


def filled(mongodb: str, database: str) -> int:
    """Append the commits and return how many events they are."""
    mongo = Mongo(mongodb, database)
    store = MongoEventStore(mongo)

    def append(number: int) -> int:
        command, (one, two) = decided()
        three = two.model_copy(update={"originator_version": 3})
        return len(store.append([one, two, three][: 1 + number % 3], AppendHeader(command, command, METADATA)).events)

    with ThreadPoolExecutor(WRITERS) as pool:
        events = sum(pool.map(append, range(COMMITS)))
    mongo.close()
    return events


def relay_rate(mongodb: str, kafka: str, database: str, number: int) -> float:
    """Return events a second from the whole log in MongoDB to a topic of this round."""
    ensure_topics(kafka, f"{database}-{number}")
    with open_relay(mongodb, kafka, database, topics_of(f"{database}-{number}")[0]) as relay:
        started = time.perf_counter()
        while relay.step():
            pass
        return relay.position / (time.perf_counter() - started)


def read_rate(kafka: str, database: str) -> float:
    """Return events a second from the topic to decoded events."""
    feed = KafkaFeed(kafka, database)
    position = len(feed.after(0, 1))
    started = time.perf_counter()
    while page := feed.after(position, 500):
        position = page[-1].position
    rate = position / (time.perf_counter() - started)
    feed.close()
    return rate


def latencies(mongodb: str, kafka: str, database: str) -> list[float]:
    """Return milliseconds from the beginning of an append until a follower has the decoded event."""
    mongo = Mongo(mongodb, database)
    store, feed = MongoEventStore(mongo), KafkaFeed(kafka, database)
    ensure_topics(kafka, database)
    command = [sys.executable, "-c", RELAY, mongodb, kafka, database]
    milliseconds = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        if process.stdout is None or not process.stdout.readline():
            raise OSError("the relay did not begin")
        for _ in range(APPENDS):
            time.sleep(BETWEEN_SECONDS)
            append_id, events = decided()
            started = time.perf_counter()
            position = store.append(events, AppendHeader(append_id, append_id, METADATA)).position
            while not feed.wait_beyond(position - 2, TIMEOUT_SECONDS) or not feed.after(position - 2, 10):
                pass
            milliseconds.append((time.perf_counter() - started) * 1000)
        process.kill()
    feed.close()
    mongo.close()
    return milliseconds[APPENDS // 10 :]


def measure() -> list[Figure]:
    """Measure rates on a log that is there, then appends one by one; return medians of rounds."""
    with ExitStack() as opened:
        mongodb = opened.enter_context(server(MongoServer, "AUTOLEARN_TEST_MONGODB"))
        kafka = opened.enter_context(server(KafkaServer, "AUTOLEARN_TEST_KAFKA"))
        database = f"bench-{uuid4().hex[:12]}"
        opened.callback(delete_topics, kafka, database)
        for name in (database, f"{database}-slow"):
            opened.callback(drop_database, mongodb, name)
        events = filled(mongodb, database)
        relayed = [relay_rate(mongodb, kafka, database, number) for number in range(ROUNDS)]
        read = [read_rate(kafka, f"{database}-{number}") for number in range(ROUNDS)]
        seen = sorted(latencies(mongodb, kafka, f"{database}-slow"))
    note = f"{events:,} events of 300 bytes in {COMMITS:,} commits"
    every = f"one append of two events each {BETWEEN_SECONDS * 1000:.0f} ms, relay in a process of its own"
    return [
        Figure("relay, MongoDB to Kafka", statistics.median(relayed), "events/s", ">= 10000", note),
        Figure("feed, Kafka to decoded events", statistics.median(read), "events/s", "", note),
        Figure("append -> decoded from the topic, p50", statistics.median(seen), "ms", "<= 20", every),
        Figure("append -> decoded from the topic, p95", seen[len(seen) * 95 // 100], "ms", "", every),
    ]


if __name__ == "__main__":
    for figure in measure():
        print(figure)
