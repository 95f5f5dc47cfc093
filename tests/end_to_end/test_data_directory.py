"""The data directory: one backend at a time, none of a newer version, and nothing happens on a full disk."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.up import start_backend
from domain.errors import ConflictError
from server.inspection.inspections import inspect_offline
from tests.end_to_end.place import Place

MIB = 2**20


def test_a_second_backend_on_the_same_directory_is_refused(place: Place) -> None:
    shell = place.start()
    ran = shell.plain("up", "--data", str(place.data), "--port", "0", "--json")
    assert ran.code == 2  # `up` has no --json: it answers to people
    ran = shell.plain("up", "--data", str(place.data), "--port", "0")
    assert ran.code == 6
    assert place.url in ran.err
    assert shell("session").json["experiments"] == []


def test_a_directory_of_a_newer_version_is_refused(place: Place) -> None:
    place.start()
    place.stop()
    (place.data / "format.json").write_text(json.dumps({"format": 999}))
    with pytest.raises(ConflictError, match="newer"):
        start_backend(place.data, 0)


def test_garbled_small_files_are_mended_at_the_start(place: Place) -> None:
    shell = place.start()
    position = shell("catalog", "datasets").json["position"]
    place.stop()
    true = (place.data / "format.json").read_bytes()
    for name in ("format.json", "read-models.current", "receipts.json"):
        (place.data / name).write_bytes(b"\xff{garbled")
    faults = [fault["what"] for fault in verified(place.data)["faults"]]
    for name in ("format.json", "read-models.current", "receipts.json"):
        assert any(name in what for what in faults), faults
    shell = place.start()
    assert shell("catalog", "datasets").json["position"] >= position
    place.stop()
    assert (place.data / "format.json").read_bytes() == true
    assert verified(place.data)["faults"] == []


def verified(data: Path) -> dict[str, Any]:
    """Return the answer of `verify` on a data directory."""
    *_, last = inspect_offline("verify", str(data), {})
    return dict(last["result"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 120 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_below_the_disk_reserve_nothing_happens(small_disk: Path) -> None:
    place = Place(small_disk / "data")
    try:
        shell = place.start()
        before = shell("catalog", "datasets").json["position"]
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(80 * MIB))
        refused = shell("train", "iris", "svm", code=3)
        assert refused.problem["type"] == "disk-full"
        ballast.unlink()
        assert shell("catalog", "datasets").json["position"] == before
        assert shell("train", "iris", "svm").json["state"] == "completed"
    finally:
        place.stop()


def test_the_same_master_key_serves_again_after_a_restart(place: Place) -> None:
    shell = place.start()
    shell("train", "iris", "naive-bayes")
    shell("commit")
    before = shell("history").json["experiments"]
    place.stop()
    assert place.start()("history").json["experiments"] == before
