"""What a backend has is taken away while it serves: nobody else gets in, and it stops rather than write elsewhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import ConflictError
from tests.end_to_end.fleet import until
from tests.end_to_end.place import SECONDS, Place, Shell

pytestmark = pytest.mark.slow


def _replace(data: Path) -> None:
    data.rename(data.with_name("moved"))
    data.mkdir(mode=0o700)


def _remove_log(data: Path) -> None:
    (data / "events.db").unlink()


def _replace_log(data: Path) -> None:
    copy = data / "copy"
    copy.write_bytes((data / "events.db").read_bytes())
    copy.rename(data / "events.db")


def test_a_removed_lock_file_lets_no_second_backend_in_and_down_still_finds_the_first(place: Place) -> None:
    shell = place.start()
    (place.data / "lock").unlink()
    ran = shell.plain("up", "--data", str(place.data), "--port", "0")
    assert ran.code == 6, ran.err
    while not (place.data / "lock").exists():  # it is made again within seconds
        assert shell("session").json["experiments"] == []
    assert place.url in shell.plain("up", "--data", str(place.data), "--port", "0").err
    assert shell.plain("down").code == 0
    assert place.process is not None
    assert place.process.wait(SECONDS) == 0


@pytest.mark.parametrize("deed", [_replace, _remove_log, _replace_log])
def test_it_stops_when_directory_or_log_are_taken_away(place: Place, deed: Callable[[Path], None]) -> None:
    place.start()
    credentials = place.data.with_name("credentials.json")
    credentials.write_bytes((place.data / "credentials.json").read_bytes())
    credentials.chmod(0o600)
    log = (place.data / "backend.log").open()
    deed(place.data)
    away = Shell(place.url, credentials, place.data)
    ran = away.plain("client", "add", "ana")
    assert ran.code == 3, f"nothing is acknowledged any more: {ran.out}{ran.err}"
    assert place.process is not None
    assert place.process.wait(SECONDS) == 6
    with log:
        until(
            lambda: "was removed, renamed or replaced" in log.read().rpartition("autolearn: ")[2]
        )  # another writes it
    if deed is _replace:
        assert not (place.data / "receipts.json").exists(), "the directory is somebody else's by now"


def test_a_moved_directory_is_served_again_at_its_new_place_with_all_that_was_acknowledged(place: Place) -> None:
    place.start()("train", "iris", "naive-bayes")
    moved = Place(place.data.rename(place.data.with_name("moved")))
    with pytest.raises(ConflictError, match=r"runs on|starting or stopping"):
        moved.start()
    assert place.process is not None
    assert place.process.wait(SECONDS) == 6
    try:
        shell = moved.start()
        assert len(shell("session").json["experiments"]) == 1
        assert shell("verify").json["ok"]
    finally:
        moved.stop()


def test_a_bind_mount_is_the_same_directory(place: Place, tmp_path: Path) -> None:
    shell = place.start()
    other = tmp_path / "other"
    other.mkdir()
    made = subprocess.run(["mount", "--bind", place.data, other], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"nothing can be mounted here: {made.stderr.decode().strip()}")
    try:
        ran = shell.plain("up", "--data", str(other), "--port", "0")
        assert (ran.code, place.url in ran.err) == (6, True), ran.err
    finally:
        subprocess.run(["umount", "--lazy", other], check=True)
