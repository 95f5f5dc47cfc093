"""A write-ahead log that a killed process left: any bit of it that was changed is reported, or changes nothing."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.embedded.integrity import byte_faults, wal_faults

HEAD, FRAME_HEAD, PAGE = 32, 24, 4096


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database, as a process leaves it that dies in the second round of its write-ahead log."""
    living = sqlite3.connect(tmp_path / "living.db", isolation_level=None)
    with closing(living):
        living.execute("PRAGMA journal_mode = WAL")
        living.execute("CREATE TABLE t (x)")
        for number in range(8):
            living.execute("INSERT INTO t VALUES (?)", (f"first round {number}",))
        living.execute("PRAGMA wal_checkpoint(RESTART)")
        for number in range(3):
            living.execute("INSERT INTO t VALUES (?)", (f"second round {number}",))
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"living.db{suffix}", tmp_path / f"killed.db{suffix}")
    return tmp_path / "killed.db"


def rows(path: Path) -> list[tuple[str]] | str:
    """Return what SQLite reads, of a copy: reading may change the files."""
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    try:
        with closing(sqlite3.connect(copy)) as connection:
            return connection.execute("SELECT x FROM t").fetchall()
    except sqlite3.Error as error:
        return str(error)


def test_one_that_is_whole_has_no_fault(killed: Path) -> None:
    assert killed.with_name("killed.db-wal").stat().st_size > HEAD + 6 * (FRAME_HEAD + PAGE)
    assert len(rows(killed)) == 11
    assert list(wal_faults(killed)) == []


def test_a_changed_bit_is_reported_or_changes_nothing(killed: Path) -> None:
    wal = killed.with_name("killed.db-wal")
    true, content = rows(killed), wal.read_bytes()
    heads = [*range(HEAD), *(HEAD + n * (FRAME_HEAD + PAGE) + at for n in range(5) for at in range(FRAME_HEAD))]
    chance = random.Random(1)  # noqa: S311 - the same places each time
    places = heads + [chance.randrange(len(content)) for _ in range(100)]
    reported = 0
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        wal.write_bytes(changed)
        if list(wal_faults(killed)):
            reported += 1
        else:
            assert rows(killed) == true, place
    assert reported > len(heads) // 2


def test_an_end_that_was_never_written_whole_is_no_fault(killed: Path) -> None:
    wal = killed.with_name("killed.db-wal")
    wal.write_bytes(wal.read_bytes()[: HEAD + 2 * (FRAME_HEAD + PAGE) + 100])
    assert list(wal_faults(killed)) == []
    wal.write_bytes(b"")
    assert list(wal_faults(killed)) == []


def test_a_header_with_another_kind_of_journal_is_reported(killed: Path) -> None:
    content = bytearray(killed.read_bytes())
    assert byte_faults([killed], unowned=True) == []
    for place in (18, 19, 21, 50, 55, 67, 80):
        killed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert len(byte_faults([killed], unowned=True)) == 1, place


def test_a_journal_that_would_change_the_database_is_reported(killed: Path) -> None:
    killed.with_name("killed.db-journal").write_bytes(b"planted")
    assert any("killed.db-journal" in what for what in byte_faults([killed], unowned=True))
