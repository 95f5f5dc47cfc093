"""kill -9 of relays in transactions, frozen ones that wake up as zombies, kill -9 of the broker: the topic is the log.

Judged by stock consumers alone, one that reads all the time and one that reads at the end. AUTOLEARN_TEST_RELAY_ROUNDS
sets how long it goes on.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from adapters.distributed.topics.cloud_events import Message, commit_messages, origin
from adapters.distributed.topics.consumer import to_message
from adapters.distributed.topics.topics import ensure_topics, topics_of
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from tests.contracts.events import append
from tests.servers.process import Server

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("AUTOLEARN_TEST_RELAY_ROUNDS", "9"))
COMMITS_A_ROUND = 600
SECONDS = 60.0
FENCED = 3
# Begins when told on stdin, tells on stdout how far it is, and once armed ("SIGNAL MICROSECONDS") strikes itself so
# long after the beginning of a transaction, or (IN_TRANSACTION) when the broker has its records. It leaves with FENCED,
# or tries again what was not able.
IN_TRANSACTION = -1
RELAYS = """
import os, random, sys
from threading import Thread, Timer
from adapters.distributed.relay import source as read_ahead
from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.kafka import Fenced
from adapters.embedded.database import Database
from adapters.embedded.log.feed import SqliteFeed
from domain.errors import NotAbleError
from tests.distributed.log_sources import event_source

path, bootstrap, topic, origin = sys.argv[1:]
armed = []

def listen():
    for line in sys.stdin:
        armed.append([int(word) for word in line.split()])

def strike_in_transaction(relay, number):
    commit = relay._call

    def strike(*arguments):
        relay._producer.flush(10)
        os.kill(os.getpid(), number)
        commit(*arguments)

    relay._call = strike

source = event_source(SqliteFeed(Database(path, read_only=True)), origin)
sys.stdin.readline()
Thread(target=listen, daemon=True).start()

def work():
    with Relay(bootstrap, topic, topic, source) as relay:
        while True:
            read_ahead.READ_AT_ONCE = random.randint(1, 40)
            while armed:
                number, microseconds = armed.pop()
                if microseconds < 0:
                    strike_in_transaction(relay, number)
                else:
                    Timer(microseconds / 1e6, os.kill, (os.getpid(), number)).start()
            if not relay.step():
                source.wait_beyond(relay.position, 0.05)
            os.write(1, f"{relay.position}\\n".encode())

while True:
    try:
        work()
    except NotAbleError:
        continue
    except Fenced:
        os._exit(3)
"""


class RelayProcess:
    """A relay in a process of its own, ready to begin."""

    def __init__(self, path: Path, bootstrap: str, topic: str, source: str) -> None:
        command = [sys.executable, "-c", RELAYS, str(path), bootstrap, topic, source]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def tell(self, *words: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def position(self) -> int:
        """Return how far it is, once it has relayed again."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def strike(self, by: signal.Signals, microseconds: int) -> None:
        """Let it strike itself in a transaction, and wait until that has happened."""
        self.tell(by, microseconds)
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Reader:
    """A stock consumer in a thread: what it has read is what any integrator has."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.messages: list[Message] = []
        self._config = {"bootstrap.servers": bootstrap, "group.id": "stock", "isolation.level": "read_committed"}
        self._topic = topic
        self._stopping = Event()

    def read(self, count: int) -> list[Message]:
        """Read until so many are there, or until stopped."""
        with Consumer({**self._config, "log_level": 0}) as consumer:
            consumer.assign([TopicPartition(self._topic, 0, 0)])
            while len(self.messages) < count and not self._stopping.is_set():
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    self.messages.append(to_message(message))
                elif message is not None and (error := message.error()) is not None and not error.retriable():
                    raise KafkaException(error)
        return self.messages

    def stop(self) -> None:
        self._stopping.set()


class Story:
    """A log, its topic, the relays of it, and a reader that reads all the time."""

    def __init__(self, folder: Path, bootstrap: str, database: str, commits: int) -> None:
        self.topic, self.origin = topics_of(database)[0], origin(database, "ab" * 16)
        self.bootstrap, self._path = bootstrap, folder / "events.db"
        ensure_topics(bootstrap, database)
        self._stored = Database(self._path)
        store = SqliteEventStore(self._stored)
        for n in range(commits):
            append(store, f"s{n}", count=1 + n % 3)
        log = SqliteFeed(self._stored).raw_after(0, 10**7)
        self.expected = [message for commit in log for message in commit_messages(commit, self.origin)]
        self._live = Reader(bootstrap, self.topic)
        self._thread = Thread(target=self._live.read, args=(len(self.expected),))
        self._relays = [self.ready()]
        self._thread.start()

    def ready(self) -> RelayProcess:
        return RelayProcess(self._path, self.bootstrap, self.topic, self.origin)

    def begin(self) -> RelayProcess:
        """Let the relay that stands by begin, and another one get ready."""
        relay = self._relays[-1]
        relay.tell()
        self._relays.append(self.ready())
        return relay

    def judge(self) -> None:
        """Both readers have the log: each event once, in order, and nothing else."""
        self._thread.join(SECONDS)
        assert self._live.messages == self.expected
        assert self.whole_topic("read_committed") == self.expected

    def whole_topic(self, isolation: str) -> list[Message]:
        config = {"bootstrap.servers": self.bootstrap, "group.id": "stock", "isolation.level": isolation}
        messages = []
        with Consumer({**config, "enable.partition.eof": True}) as consumer:
            consumer.assign([TopicPartition(self.topic, 0, 0)])
            while (message := consumer.poll(SECONDS)) is not None and message.error() is None:
                messages.append(to_message(message))
        return messages

    def aborted(self) -> bool:
        """Tell whether the topic has records of transactions that did not end."""
        return len(self.whole_topic("read_uncommitted")) > len(self.whole_topic("read_committed"))

    def close(self) -> None:
        self._live.stop()
        for relay in self._relays:
            relay.end()
        self._thread.join(SECONDS)
        self._stored.close()


@contextmanager
def story(folder: Path, bootstrap: str, database: str, commits: int) -> Iterator[Story]:
    told = Story(folder, bootstrap, database, commits)
    try:
        yield told
    finally:
        told.close()


@pytest.mark.slow
def test_relays_that_die_or_sleep_in_transactions(tmp_path: Path, kafka: str, installation: str) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    with story(tmp_path, kafka, installation, COMMITS_A_ROUND * ROUNDS) as told:
        relay = told.begin()
        for number in range(ROUNDS):
            for _ in range(chance.randint(1, 10)):
                relay.position()
            after = IN_TRANSACTION if number in {1, 2} else chance.randint(0, 12_000)
            relay = struck(told, relay, after, frozen=number % 3 == 2)
        while relay.position() < len(told.expected):
            pass
        told.judge()
        assert told.aborted(), "no strike fell into a transaction"


def struck(told: Story, relay: RelayProcess, microseconds: int, *, frozen: bool) -> RelayProcess:
    """Let a relay strike itself in a transaction; return the next one, which has relayed by then."""
    relay.strike(signal.SIGSTOP if frozen else signal.SIGKILL, microseconds)
    following = told.begin()
    following.position()
    if frozen:
        relay.process.send_signal(signal.SIGCONT)
    assert relay.process.wait(SECONDS) == (FENCED if frozen else -signal.SIGKILL)
    return following


@pytest.mark.slow
def test_a_broker_that_dies_while_relays_write(tmp_path: Path, own_kafka: Server) -> None:
    with story(tmp_path, own_kafka.url, "autolearn", 4000) as told:
        relay = told.begin()
        for _ in range(max(2, ROUNDS // 6)):
            for _ in range(20):
                relay.position()
            own_kafka.kill()
            own_kafka.start()
        while relay.position() < len(told.expected):
            pass
        told.judge()
