"""Places of real processes: files are their owner's alone under any umask; what others may change is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.end_to_end.place import Place, Ran, Shell, loose

pytestmark = pytest.mark.slow
NOWHERE = "http://127.0.0.1:9"
NAME = "0123456789abcdef" * 2
CLOCK = """
import time
real, time.time_ns = time.time_ns, lambda: {at} * 10**9
"""


@pytest.fixture
def umask(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    assert tmp_path.stat().st_mode & stat.S_IRWXU, (
        "the test's own folder comes before: tasks cannot pass what is closed"
    )
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777], ids=oct, indirect=True)
def test_all_files_are_their_owners_alone(umask: object, place: Place, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shell = Shell("", data / "credentials.json", data, {"XDG_DATA_HOME": str(tmp_path)})
    ran = shell.plain("up", "--data", str(data), "--port", "0", "--detach")
    assert ran.code == 0, ran.err
    shell.url = ran.err.split(" at ")[1].split(" ")[0]
    try:
        shell("train", "iris", "naive-bayes", "--evaluate")
        shell("commit")
        experiment = shell("history").json["experiments"][0]["experiment"]
        shell("verify")
        shell("export", experiment, str(tmp_path / "model.skops"))
        assert loose(data) == []
        assert {path.name for path in data.iterdir()} >= {"events.db", "events.db-wal", "positions.json", "backend.log"}
    finally:
        shell.plain("down")
    assert loose(data) == []
    given = os.umask(0)
    os.umask(given)
    assert stat.S_IMODE((tmp_path / "model.skops").stat().st_mode) == 0o666 & ~given, "the user's own file"


def test_files_that_others_could_read_are_closed_at_the_start(place: Place) -> None:
    place.start()
    place.stop()
    place.data.chmod(0o755)
    for name in ("events.db", "communications.db", "format.json", "backend.log", "lock"):
        (place.data / name).chmod(0o644)
    (place.data / "blobs").chmod(0o755)
    (place.data / "notes.txt").write_text("of the user")
    (place.data / "notes.txt").chmod(0o644)
    place.start()
    assert loose(place.data) == [f"{place.data / 'notes.txt'} 644"]


def refused(data: Path, more: dict[str, str] | None = None) -> Ran:
    ran = Shell(NOWHERE, data / "credentials.json", data, more or {}).plain("up", "--port", "0", "--data", str(data))
    assert ran.code in (2, 3), ran.err
    return ran


@pytest.mark.parametrize("which", ["data", "blobs", "scratch", "key"])
@pytest.mark.parametrize("mode", [0o1777, 0o770])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, which: str, mode: int) -> None:
    data = tmp_path / "data"
    folder = {"data": data, "blobs": data / "blobs", "scratch": data / "scratch", "key": tmp_path / "keys"}[which]
    data.mkdir(mode=0o700)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)
    more = {"AUTOLEARN_MASTER_KEY_FILE": str(tmp_path / "keys" / "master.key")} if which == "key" else {}
    assert f"Others may write to {folder} (mode {mode:o})" in refused(data, more).err
    assert not (data / "events.db").exists()
    if which == "data":
        shell = Shell(NOWHERE, data / "credentials.json", data)
        for command in (["up", "--detach", "--port", "0"], ["client", "list", "--offline"]):
            assert "Others may write" in shell.plain(*command).err
        assert list(data.iterdir()) == []


def test_a_scratch_folder_that_is_a_link_is_refused_and_its_target_stays(place: Place, tmp_path: Path) -> None:
    place.start()
    place.stop()
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o700)
    for name in ("thesis.tex", f"{NAME}.csv"):
        (precious / name).write_text("of somebody")
    (place.data / "scratch").rmdir()
    (place.data / "scratch").symlink_to(precious)
    assert f"{place.data / 'scratch'} is a link" in refused(place.data).err
    assert sorted(path.name for path in precious.iterdir()) == [f"{NAME}.csv", "thesis.tex"]


def test_what_an_ended_process_left_is_removed_and_nothing_else(place: Place) -> None:
    place.start()
    place.stop()
    scratch = place.data / "scratch"
    (scratch / f"{NAME}.upload").write_text("half")
    (scratch / NAME).mkdir()
    (scratch / NAME / "anything").write_text("half")
    (scratch / "thesis.tex").write_text("of somebody")
    place.start()
    left = {path.name for path in scratch.iterdir()}  # a task that describes the catalog may run by now
    assert "thesis.tex" in left
    assert not {f"{NAME}.upload", NAME} & left


@pytest.mark.parametrize("at", [0, 315_532_799, 253_402_300_800])
@pytest.mark.parametrize("command", [["up", "--port", "0"], ["client", "add", "ana", "--offline"]])
def test_a_clock_that_no_machine_has_is_refused(tmp_path: Path, at: int, command: list[str]) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(CLOCK.format(at=at))
    data = tmp_path / "data"
    shell = Shell(NOWHERE, data / "credentials.json", data, {"PYTHONPATH": f"{site}:{Path.cwd()}"})
    ran = shell.plain(*command)
    assert (ran.code, f"says {at} s since 1970" in ran.err) == (3, True), ran.err
