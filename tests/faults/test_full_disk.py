"""A disk that is really full (a small tmpfs): refused with a sentence, nothing half-stored, usable again with room."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.audit_log import chain as communication_chain
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log import chain
from commands.ports import StoredAppend
from domain.errors import DiskReserveError, NotAbleError
from tests.contracts.events import event, header
from tests.contracts.test_audit_log import CALL

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount 4 MiB; only root may."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        [mount or "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def until_full(store: SqliteEventStore) -> list[StoredAppend]:
    """Append until the disk is full, and a few times more."""
    appends, refused = [], 0
    for n in range(1000):
        try:
            appends.append(store.append([event(f"s{n}", 1, "x" * 20_000), event(f"s{n}", 2)], header()))
        except DiskReserveError:
            refused += 1
            if refused == 3:
                return appends
    pytest.fail("a thousand appends of 20 kB fit on 4 MiB")


def test_a_full_disk_refuses_appends_and_harms_nothing(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * MIB)
    database = Database(small_disk / "events.db")
    store = SqliteEventStore(database)
    appends = until_full(store)
    assert store.end() == (appends[-1].position, appends[-1].hash)
    filler.unlink()
    last = store.append([event("new", 1)], header())
    assert last.position == appends[-1].position + 1
    database.close()
    feed = SqliteFeed(Database(small_disk / "events.db"))
    commits = feed.raw_after(0, 10**6)
    assert [commit.hash for commit in commits] == [appended.hash for appended in [*appends, last]]
    assert list(chain.chain_faults(commits)) == []
    assert feed.file_faults() == []


def record_until_refused(audit_log: SqliteAuditLog) -> None:
    while True:
        audit_log.append(replace(CALL, operation="x" * 4000))


def test_a_full_disk_refuses_communications_until_there_is_room(small_disk: Path) -> None:
    audit_log = SqliteAuditLog(Database(small_disk / "communications.db"), "w1", reserve=MIB // 4)
    audit_log.check_able()
    filler = fill(small_disk)
    with pytest.raises(DiskReserveError, match="kept in reserve"):
        audit_log.check_able()
    with pytest.raises(DiskReserveError, match="disk is full"):
        record_until_refused(audit_log)
    filler.unlink()
    with pytest.raises(NotAbleError, match="The audit log cannot be written"):
        audit_log.check_able()
    audit_log.append(CALL)
    audit_log.check_able()
    records = audit_log.read(0, 1000)
    assert list(communication_chain.chain_faults(records)) == []
    assert list(audit_log.recent(0)) == records[-1000:]
