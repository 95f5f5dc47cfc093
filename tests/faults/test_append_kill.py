"""kill -9 in the middle of appends, again and again: what was acknowledged is there, once, and nothing is partial."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from adapters.audit_log import chain as communication_chain
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log import chain
from domain.experiment_events import ExperimentAnnotated

ROOT = Path(__file__).parents[2]
KILLS = 3
# Four threads append pairs of events and the audit log a record for each; each tells on stdout what was acknowledged.
WRITES = """
import os, sys
from threading import Thread
from uuid import uuid4
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from tests.contracts.events import events, header
from tests.contracts.test_audit_log import CALL

folder, life = sys.argv[1:]
store = SqliteEventStore(Database(folder + "/events.db"))
audit_log = SqliteAuditLog(Database(folder + "/communications.db"), "w" + life)

def work(n):
    for k in range(1, 1_000_000):
        appended = store.append(events(f"life:{life}:{n}", 2 * k - 1, 2), header())
        record = audit_log.append(CALL)
        line = f"{appended.header.append_id} {appended.position} {record.position} {appended.hash.hex()}\\n"
        os.write(1, line.encode())

for n in range(4):
    Thread(target=work, args=(n,)).start()
"""


def acknowledged(folder: Path, life: int, lines: int) -> list[list[str]]:
    """Let a process write until it has acknowledged so many appends, kill it, and return all that it acknowledged."""
    command = [sys.executable, "-c", WRITES, str(folder), str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.stdout.readlines()
    return [line.decode().split() for line in told if line.endswith(b"\n")]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_partial(tmp_path: Path) -> None:
    told: list[list[str]] = []
    for life in range(KILLS):
        told += acknowledged(tmp_path, life, lines=20 + 37 * life)
        database = Database(tmp_path / "events.db")
        check_log(SqliteEventStore(database), SqliteFeed(database), told)
        database.close()
    audit_log = SqliteAuditLog(Database(tmp_path / "communications.db"), "after")
    records = audit_log.read(0, 10**6)
    assert list(communication_chain.chain_faults(records)) == []
    assert {int(record) for _, _, record, _ in told} <= {record.position for record in records}


def check_log(store: SqliteEventStore, feed: SqliteFeed, told: list[list[str]]) -> None:
    for append_id, position, _, chain_hash in told:
        appended = store.find_append(UUID(append_id))
        assert appended is not None
        assert (appended.position, appended.hash.hex(), len(appended.events)) == (int(position), chain_hash, 2)
    commits = feed.raw_after(0, 10**6)
    assert list(chain.chain_faults(commits)) == []
    assert {len(commit.events) for commit in commits} == {2}
    assert feed.file_faults() == []
    assert store.end()[0] == 2 * len(commits)
    assert all(type(recorded.event) is ExperimentAnnotated for recorded in feed.after(0, 10**6))
