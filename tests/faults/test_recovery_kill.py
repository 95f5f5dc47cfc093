"""kill -9 in the middle of a recovery, again and again: the next one goes on, and the log is that of Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.cloud_events import commit_messages
from adapters.log.chain import hash_of
from projections.ports import GENESIS, RawCommit, RawEvent
from tests.distributed.published import Published

ROOT = Path(__file__).parents[2]
COMMITS, KILLS, SECONDS = 8000, 3, 60
AT = datetime(2026, 1, 31, tzinfo=UTC)


def log_of(size: int) -> list[RawCommit]:
    """Make up a true log of commits of two events."""
    commits, previous = list[RawCommit](), GENESIS
    for n in range(size):
        events = tuple(RawEvent(f"s:{n}", i, "e.v1", b'{"metadata":{}}') for i in (1, 2))
        at, ids = AT + timedelta(milliseconds=n), (UUID(int=n), UUID(int=size + n))
        bare = RawCommit(2 * n + 1, 2 * n + 2, at, *ids, "", b"", events)
        commits.append(replace(bare, hash=hash_of(bare, previous)))
        previous = commits[-1].hash
    return commits


def kill_beyond(process: subprocess.Popen[bytes], mongo: Mongo, count: int) -> None:
    """Kill the process once more commits than so many are there."""
    commits = mongo.collection("commits")
    while commits.count_documents({}) <= count:
        assert process.poll() is None, "the recovery was over before it could be killed"
        Event().wait(0.002)
    process.kill()
    process.wait(SECONDS)


@pytest.mark.slow
def test_a_killed_recovery_goes_on(kafka: str, mongo: Mongo, tmp_path: Path) -> None:
    published, log = Published(kafka, mongo.name), log_of(COMMITS)
    published.messages(
        published.events,
        [[m for it in log[n : n + 200] for m in commit_messages(it, published.source)] for n in range(0, COMMITS, 200)],
    )
    own = {"MODE": "distributed", "KAFKA": kafka, "MONGODB": mongo.uri, "DATABASE": mongo.name, "DATA": str(tmp_path)}
    environment = os.environ | {f"AUTOLEARN_{name}": value for name, value in own.items()}
    command = [sys.executable, "-m", "cli.main", "recover", "--from-kafka", "--json"]
    there = 0
    for _ in range(KILLS):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        kill_beyond(process, mongo, there)
        found = MongoFeed(mongo).raw_after(0, 2 * COMMITS)
        assert there < len(found) < COMMITS
        assert found == log[: len(found)]
        there = len(found)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=SECONDS, check=True)
    assert json.loads(done.stdout)["head"] == log[-1].hash.hex()
    assert MongoFeed(mongo).raw_after(0, 2 * COMMITS) == log
