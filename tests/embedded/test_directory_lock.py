"""One backend per data directory: the refusal says who has it, and the kernel gives the lock back."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from adapters.host.directory_lock import DirectoryLock, Holder, await_orphans, holder
from domain.errors import BadInputError, DataDirectoryInUseError

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys
from adapters.host.directory_lock import DirectoryLock
lock = DirectoryLock(sys.argv[1])
lock.acquire("http://127.0.0.1:8420")
print("held", flush=True)
sys.stdin.read()
"""


# The instance begins to end when its parent is dead, as the kernel tells it.
FORKS = """
import os, sys
from adapters.host.directory_lock import DirectoryLock
lock = DirectoryLock(sys.argv[1])
lock.acquire("http://127.0.0.1:8420")
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    os.read(reading, 1)
    sys.stdin.read()
    os._exit(0)
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


def test_the_end_of_a_killed_process_includes_that_of_its_instances(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(tmp_path)]
    with (
        ThreadPoolExecutor(1) as pool,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"held\n"
        assert await_orphans(tmp_path) == Holder(process.pid, "http://127.0.0.1:8420"), "it lives: nobody waits"
        process.kill()  # and is not reaped before its instance has ended
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead now, and still not reaped
        assert holder(tmp_path) is not None
        waiting = pool.submit(await_orphans, tmp_path)
        assert wait([waiting], 0.2).not_done
        process.stdin.close()
        assert waiting.result() is None


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


def test_what_a_start_waits_for_is_announced_also_by_an_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = os.getpid()
    with DirectoryLock(tmp_path) as lock:
        monkeypatch.setattr(os, "getpid", lambda: own + 1)  # as in a process that was forked
        lock.announce("", "é" * 3000)
        found = holder(tmp_path)
        assert found is not None
        assert (found.pid, found.url, found.waits_for) == (own, "", "é" * 500)
        lock.announce("http://127.0.0.1:1")
        found = holder(tmp_path)
        assert found is not None
        assert (found.pid, found.url, found.waits_for) == (own, "http://127.0.0.1:1", "")


def test_what_is_announced_is_whole_even_where_it_is_shorter(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        lock.announce("http://127.0.0.1:8420")
        lock.announce("")
        assert holder(tmp_path) == Holder(os.getpid(), "")


@pytest.mark.parametrize("put", ["nothing", "a file", "a link", "an empty one"])
def test_whoever_takes_the_lock_file_away_lets_no_second_in(tmp_path: Path, put: str) -> None:
    with DirectoryLock(tmp_path) as first:
        first.announce("http://127.0.0.1:8420")
        file = tmp_path / "lock"
        if put != "an empty one":
            file.unlink()
        if put == "a link":
            file.symlink_to("nowhere")
        elif put != "nothing":
            file.write_text("")
        assert holder(tmp_path) is not None
        with pytest.raises((DataDirectoryInUseError, BadInputError)):
            DirectoryLock(tmp_path).acquire()


def test_a_lock_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        lock.announce("http://127.0.0.1:8420")
        (tmp_path / "lock").unlink()
        assert lock.check_in_place() is None
        assert holder(tmp_path) == Holder(os.getpid(), "http://127.0.0.1:8420")
        lock.announce("")
        assert holder(tmp_path) == Holder(os.getpid(), "")
    assert holder(tmp_path) is None


@pytest.mark.parametrize("way", ["a link", "a longer path"])
def test_another_path_to_the_directory_is_the_same_directory(tmp_path: Path, way: str) -> None:
    data = tmp_path / "data"
    with DirectoryLock(data):
        other = tmp_path / "other"
        other.symlink_to(data)
        path = other if way == "a link" else data / ".." / "data"
        assert holder(path) == Holder(os.getpid(), "")
        with pytest.raises(DataDirectoryInUseError):
            DirectoryLock(path).acquire()


def test_a_directory_that_was_moved_or_replaced_is_lost_and_stays_locked(tmp_path: Path) -> None:
    data, moved = tmp_path / "data", tmp_path / "moved"
    with DirectoryLock(data) as lock:
        data.rename(moved)
        assert str(lock.check_in_place()).startswith(f"{data} was removed, renamed or replaced")
        data.mkdir()
        assert str(lock.check_in_place()).startswith(f"{data} was removed, renamed or replaced")
        with pytest.raises(DataDirectoryInUseError):
            DirectoryLock(moved).acquire()
        data.rmdir()
        data.symlink_to(moved)
        assert lock.check_in_place() is None, "it is at its path again"


@pytest.mark.parametrize("way", ["moved", "hard link"])
def test_the_log_of_a_served_directory_is_no_other_directorys(tmp_path: Path, way: str) -> None:
    served, other = tmp_path / "served", tmp_path / "other"
    other.mkdir()
    with DirectoryLock(served) as lock:
        lock.hold(served / "events.db")
        if way == "moved":
            (served / "events.db").rename(other / "events.db")
            assert "events.db was removed" in str(lock.check_in_place())
        else:
            (other / "events.db").hardlink_to(served / "events.db")
        with DirectoryLock(other) as second, pytest.raises(DataDirectoryInUseError, match="log of another folder"):
            second.hold(other / "events.db")


def test_a_log_that_was_replaced_is_lost(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        lock.hold(tmp_path / "events.db")
        assert lock.check_in_place() is None
        (tmp_path / "new").write_bytes(b"")
        (tmp_path / "new").rename(tmp_path / "events.db")
        assert "events.db was removed, renamed or replaced" in str(lock.check_in_place())


def test_a_copy_is_another_directory(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path / "data") as lock:
        lock.hold(tmp_path / "data" / "events.db")
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        with DirectoryLock(tmp_path / "copy") as second:
            second.hold(tmp_path / "copy" / "events.db")


def test_where_a_folder_cannot_be_locked_the_lock_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flock = fcntl.flock

    def as_on_nfs(descriptor: int, kind: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    with DirectoryLock(tmp_path) as lock:
        lock.hold(tmp_path / "events.db")
        assert "use a local disk" in caplog.text
        assert holder(tmp_path) == Holder(os.getpid(), "")
        with pytest.raises(DataDirectoryInUseError):
            DirectoryLock(tmp_path).acquire()
        (tmp_path / "lock").unlink()
        assert "nothing else locks this directory" in str(lock.check_in_place())


@pytest.mark.parametrize("kind", ["a link", "a folder", "a FIFO"])
def test_what_is_no_lock_file_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "lock"
    target = tmp_path / "target"
    target.write_text("of somebody else")
    if kind == "a link":
        file.symlink_to(target)
    elif kind == "a folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    with pytest.raises(BadInputError, match="not a plain file"):
        DirectoryLock(tmp_path).acquire()
    assert target.read_text() == "of somebody else"
    assert holder(tmp_path) is None
