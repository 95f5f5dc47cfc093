"""`verify --data` where no backend runs: it works where nothing may be written, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from adapters.host.directory_lock import DirectoryLock
from adapters.host.processes import child_environment
from domain.errors import ConflictError, DataDirectoryInUseError
from projections.verification import verify as verification
from server.compose import lock_directory, open_runner
from server.inspection.inspections import inspect_offline
from server.settings import Settings, read_settings
from tests.cli.test_inspect import folded, opened
from tests.contracts.test_audit_log import CALL

WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
PROGRAM = """
import json, sys
from server.inspection.inspections import inspect_offline
*_, last = inspect_offline("verify", sys.argv[1], {})
print(json.dumps(last["result"]))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path / "data")


def stopped(settings: Settings) -> None:
    """Leave an installation as a backend does that ended in order."""
    settings.data.mkdir(mode=0o700)
    with ExitStack() as within:
        folded(opened(settings, within))


def killed(settings: Settings) -> None:
    """Leave one as kill -9 does: what was written last is in the write-ahead logs alone."""
    live = read_settings(data=settings.data.with_name("live"))
    live.data.mkdir(mode=0o700)
    with ExitStack() as within:
        folded(opened(live, within))
        shutil.copytree(live.data, settings.data)
    for shared in settings.data.glob("*-shm"):
        shared.unlink()
    assert any(log.stat().st_size for log in settings.data.glob("*-wal"))


def check(result: dict[str, Any]) -> None:
    """Check that all was read: what is told is all that such a made-up installation lacks."""
    assert (result["position"], len(result["faults"])) == (2, 3)
    for fault, part in zip(result["faults"], ("is missing", "is missing", "audit log is empty"), strict=True):
        assert part in fault["what"]


def as_it_is(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Return what a folder holds: names, modes, times of change, contents."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        it = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (it.st_mode, it.st_mtime_ns, it.st_size, content)
    return found


def verified(settings: Settings) -> dict[str, Any]:
    *_, last = inspect_offline("verify", str(settings.data), {})
    return dict(last["result"])


@pytest.mark.parametrize("left", [stopped, killed])
def test_it_reads_all_and_leaves_nothing_behind(
    settings: Settings, left: Callable[[Settings], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(settings)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = as_it_is(settings.data)
    check(verified(settings))
    assert as_it_is(settings.data) == before
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("left", [stopped, killed])
def test_it_works_where_nothing_may_be_written(left: Callable[[Settings], None]) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        settings = read_settings(data=Path(place) / "data")
        left(settings)
        for path in settings.data.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        settings.data.chmod(0o555)
        before = as_it_is(settings.data)
        command = [*WITHOUT_PRIVILEGES, sys.executable, "-c", PROGRAM, str(settings.data)]
        ended = subprocess.run(command, env=child_environment(os.environ), capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr.decode()
        check(json.loads(ended.stdout))
        assert as_it_is(settings.data) == before


def test_what_is_in_the_write_ahead_log_alone_is_checked(settings: Settings) -> None:
    killed(settings)
    for log in settings.data.glob("events.db-wal"):
        log.write_bytes(b"")
    result = verified(settings)
    assert (result["position"], result["ok"]) != (2, True)


def behind(settings: Settings) -> None:
    """Leave one as a crash does before all was folded."""
    settings.data.mkdir(mode=0o700)
    with ExitStack() as within:
        opened(settings, within)


def without_read_models(settings: Settings) -> None:
    stopped(settings)
    (settings.data / "read-models.current").unlink()


@pytest.mark.parametrize("left", [behind, without_read_models])
def test_read_models_that_the_next_start_folds_are_no_fault(
    settings: Settings, left: Callable[[Settings], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    left(settings)
    monkeypatch.setattr(verification, "REACHED_WITHIN", 0.0)
    check(verified(settings))


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("column", ["head", "digest_in"])
def test_a_column_that_was_removed_is_reported(settings: Settings, column: str) -> None:
    settings.data.mkdir(mode=0o700)
    with ExitStack() as within:
        opened(settings, within).audit_log.append(CALL)
    change(settings.data / "communications.db", f"ALTER TABLE communications DROP COLUMN {column}")
    faults = [fault["what"] for fault in verified(settings)["faults"]]
    assert any("communications" in fault and "not as AutoLearn makes it" in fault for fault in faults)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # such a name may only be short
        server.bind(path.name)
        os.chdir(here)


PLACES = ("events.db", "events.db-wal", "communications.db", "format.json", "read-models.current", "read-models-1.db")


@pytest.mark.parametrize("put", [fifo, device, folder, listener], ids=lambda put: put.__name__)
@pytest.mark.parametrize("place", [*PLACES, "master.key", "receipts.json", "credentials.json", "lock"])
def test_what_is_not_a_plain_file_is_reported_without_a_wait(
    settings: Settings, place: str, put: Callable[[Path], None]
) -> None:
    stopped(settings)
    path = settings.data / place
    path.unlink(missing_ok=True)
    put(path)
    result = verified(settings)
    assert not result["ok"]
    assert any(str(path) in fault["what"] and "not a plain file" in fault["what"] for fault in result["faults"])


@pytest.mark.parametrize("put", [fifo, device, folder], ids=lambda put: put.__name__)
def test_a_blob_that_is_not_a_plain_file_is_reported(settings: Settings, put: Callable[[Path], None]) -> None:
    stopped(settings)
    digest = "a" * 64
    place = settings.data / "blobs" / digest[:2] / digest[2:4] / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    put(place)
    assert any(digest in fault["what"] for fault in verified(settings)["faults"])


def test_no_backend_starts_meanwhile(settings: Settings) -> None:
    stopped(settings)
    steps = inspect_offline("verify", str(settings.data), {})
    next(steps)
    (settings.data / "lock").write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')  # as a backend leaves it when killed
    with pytest.raises(DataDirectoryInUseError, match="verifies"), DirectoryLock(settings.data):
        pass
    check([*steps][-1]["result"])
    with DirectoryLock(settings.data):  # and the backend that has it is no hindrance
        check(verified(settings))


@pytest.mark.parametrize("place", ["events.db", "format.json", "read-models.current", "communications.db-wal"])
def test_no_backend_starts_on_what_is_no_plain_file(settings: Settings, place: str) -> None:
    stopped(settings)
    (settings.data / place).unlink(missing_ok=True)
    os.mkfifo(settings.data / place)
    with lock_directory(settings) as lock, pytest.raises(ConflictError, match="not a plain file"):
        open_runner(settings, lock)
    (settings.data / place).unlink()
    with DirectoryLock(settings.data):
        pass
