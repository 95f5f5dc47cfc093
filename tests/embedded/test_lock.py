"""One backend per data directory: the refusal says who has it, and the kernel gives the lock back."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.embedded.lock import DirectoryLock, Holder, holder
from domain.errors import DataDirectoryInUseError

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys
from adapters.embedded.lock import DirectoryLock
lock = DirectoryLock(sys.argv[1])
lock.acquire("http://127.0.0.1:8420")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as first:
        first.announce("http://127.0.0.1:8420")
        assert holder(tmp_path) == Holder(os.getpid(), "http://127.0.0.1:8420")
        with pytest.raises(
            DataDirectoryInUseError, match=rf"Process {os.getpid()} .* at http://127\.0\.0\.1:8420"
        ) as refused:
            DirectoryLock(tmp_path).acquire()
        assert refused.value.facts == {"pid": os.getpid(), "url": "http://127.0.0.1:8420"}
        assert holder(tmp_path) == Holder(os.getpid(), "http://127.0.0.1:8420")


def test_it_can_be_taken_again_after_release(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "new" / "data")
    lock.acquire()
    lock.release()
    lock.release()
    assert holder(tmp_path / "new" / "data") is None
    with DirectoryLock(tmp_path / "new" / "data"):
        assert holder(tmp_path / "new" / "data") == Holder(os.getpid(), "")


def test_nobody_holds_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "nothing") is None
    assert not (tmp_path / "nothing").exists()


def test_a_killed_process_gives_it_back(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert holder(tmp_path) == Holder(process.pid, "http://127.0.0.1:8420")
        process.kill()
        process.wait()
        assert holder(tmp_path) is None
        DirectoryLock(tmp_path).acquire()


def test_who_only_asks_is_never_taken_for_the_holder(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "url": "left by a killed process"}))
    with (tmp_path / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # what another `holder` does at the same time
        assert holder(tmp_path) is None


def test_a_holder_that_has_said_nothing_yet_is_starting(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert holder(tmp_path) == Holder(0, "")
        with pytest.raises(DataDirectoryInUseError, match="starting or stopping: try again"):
            DirectoryLock(tmp_path).acquire()


def test_what_is_announced_is_whole_even_where_it_is_shorter(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        lock.announce("http://127.0.0.1:8420")
        lock.announce("")
        assert holder(tmp_path) == Holder(os.getpid(), "")
