"""kill -9 of writers and of MongoDB while several processes append: no gap, nothing partial, nothing acknowledged lost.

AUTOLEARN_TEST_KILL_ROUNDS sets how long it goes on; every third kill is MongoDB's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event, Thread
from uuid import UUID

import pytest

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.log.chain import chain_faults
from domain.errors import NotAbleError
from tests.servers.process import Server

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("AUTOLEARN_TEST_KILL_ROUNDS", "6"))
WRITERS, READERS = 4, 2
ACKNOWLEDGED_A_ROUND = 150
DATABASE = "killed"
# Two threads append one to five events at a time, repeat what was not able, and tell on stdout what was acknowledged.
WRITES = """
import os, random, sys
from threading import Thread
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.mongo import Mongo
from commands.ports import DuplicateAppend
from domain.errors import NotAbleError
from tests.contracts.events import events, header

uri, database, life = sys.argv[1:]
store = MongoEventStore(Mongo(uri, database))

def append(stream, first, count):
    given = header()
    while True:
        try:
            return store.append(events(stream, first, count), given)
        except DuplicateAppend as known:
            return known.appended
        except NotAbleError:
            pass

def work(n):
    first = 1
    while True:
        count = random.randint(1, 5)
        appended = append(f"life:{life}:{n}", first, count)
        first += count
        line = f"{appended.header.append_id} {appended.first} {appended.position} {appended.hash.hex()}\\n"
        os.write(1, line.encode())

for n in range(2):
    Thread(target=work, args=(n,)).start()
"""


class Writers:
    """Processes that write; what they acknowledged is kept beyond their death."""

    def __init__(self, uri: str) -> None:
        self.told: list[list[str]] = []
        self._uri, self._grown, self._lives = uri, Condition(), 0
        self._running: list[tuple[subprocess.Popen[bytes], Thread]] = []

    def start(self) -> None:
        self._lives += 1
        command = [sys.executable, "-c", WRITES, self._uri, DATABASE, str(self._lives)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
        listener = Thread(target=self._listen, args=(process,))
        listener.start()
        self._running.append((process, listener))

    def wait_for(self, more: int) -> None:
        with self._grown:
            goal = len(self.told) + more
            assert self._grown.wait_for(lambda: len(self.told) >= goal, 60), f"{goal - len(self.told)} are missing"

    def kill_oldest(self) -> None:
        process, listener = self._running.pop(0)
        process.kill()
        process.wait()
        listener.join()

    def kill_all(self) -> None:
        while self._running:
            self.kill_oldest()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if line.endswith(b"\n"):
                    with self._grown:
                        self.told.append(line.decode().split())
                        self._grown.notify_all()


@contextmanager
def writing(uri: str) -> Iterator[Writers]:
    writers = Writers(uri)
    try:
        for _ in range(WRITERS):
            writers.start()
        yield writers
    finally:
        writers.kill_all()


def follow(uri: str, ended: Event) -> list[int]:
    """Follow the log through all outages until it has ended; return the positions that were seen."""
    mongo = Mongo(uri, DATABASE)
    log, seen = MongoFeed(mongo), [0]
    try:
        while True:
            was_ended = ended.is_set()
            try:
                page = log.after(seen[-1], 20)
            except NotAbleError:
                continue
            assert not page or page[-1].position == page[-1].commit
            seen += [recorded.position for recorded in page]
            if was_ended and not page:
                return seen[1:]
            log.wait_beyond(seen[-1], 0.2)
    finally:
        mongo.close()


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * ROUNDS)
def test_no_gap_nothing_partial_nothing_lost(own_mongodb: Server) -> None:
    ended = Event()
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(follow, own_mongodb.url, ended) for _ in range(READERS)]
        try:
            with writing(own_mongodb.url) as writers:
                for kill in range(1, ROUNDS + 1):
                    writers.wait_for(ACKNOWLEDGED_A_ROUND)
                    if kill % 3 == 0:
                        own_mongodb.kill()
                        own_mongodb.restart()
                    else:
                        writers.kill_oldest()
                        writers.start()
                writers.wait_for(ACKNOWLEDGED_A_ROUND)
        finally:
            ended.set()
        seen = [reader.result() for reader in readers]
    check(own_mongodb.url, writers.told, seen)


def check(uri: str, told: list[list[str]], seen: list[list[int]]) -> None:
    mongo = Mongo(uri, DATABASE)
    store, log = MongoEventStore(mongo), MongoFeed(mongo)
    for append_id, first, position, chain_hash in told:
        appended = store.find_append(UUID(append_id))
        assert appended is not None
        assert (appended.first, appended.position, appended.hash.hex()) == (int(first), int(position), chain_hash)
    commits = log.raw_after(0, 10**7)
    assert list(chain_faults(commits)) == []
    assert log.strays() == []
    assert seen == [list(range(1, log.end()[0] + 1))] * READERS
    assert len({commit.append_id for commit in commits}) == len(commits) >= len(told)
    versions: dict[str, int] = {}
    for event in (event for commit in commits for event in commit.events):
        assert event.version == versions.get(event.stream, 0) + 1
        versions[event.stream] = event.version
    mongo.close()
