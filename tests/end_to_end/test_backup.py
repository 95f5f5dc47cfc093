"""The restore drill: a back-up of a running backend, restored into an empty directory, answers as before."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.fleet import proxy_of
from tests.end_to_end.place import Place, Shell, loose

pytestmark = pytest.mark.slow

TRAIN = ("train", "iris", "logistic-regression", "--evaluate", "--commit")


def answers(shell: Shell, position: int) -> dict[str, Any]:
    """Return what a backend says of a position; asked from this process, as a command line for each takes long."""
    client, at = proxy_of(shell), f"@{position}"
    history = client.get("experiments", as_of=at).body
    (replayed,) = [it.data for it in client.stream("GET", "replay", as_of=at) if it.name == "result"]
    return {
        "history": history,
        "shown": [client.get("experiments", row["experiment"], as_of=at).body for row in history["experiments"]],
        "catalog": client.get("catalog", as_of=at).body,
        "clients": client.get("clients", as_of=at).body,
        "replay": replayed,
    }


def blobs(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "blobs").glob("*/*/*")}


def test_a_restored_back_up_answers_as_before(place: Place, tmp_path: Path) -> None:
    shell, to = place.start(), tmp_path / "backup"
    shell(*TRAIN, "--seed", "7")
    first = shell("backup", str(to)).json
    assert (first["ok"], first["lost_blobs"]) == (True, [])
    old = blobs(to)
    assert first["blobs_copied"] == len(old) == len(blobs(place.data)) > 0
    assert answers(shell, first["position"])["history"]["experiments"]
    shell("client", "add", "ana")
    shell(*TRAIN, "--seed", "8")
    second = shell("backup", str(to)).json
    new = blobs(to)
    assert old.items() <= new.items()
    assert second["blobs_copied"] == len(new) - len(old) > 0
    expected = {position: answers(shell, position) for position in (0, first["position"], second["position"])}
    shell(*TRAIN, "--seed", "9")  # after the back-up: gone with the directory
    assert loose(to) == []
    key = place.data / "master.key"
    place.stop()
    key.rename(tmp_path / "kept.key")
    shutil.rmtree(place.data)

    ran = shell.plain("restore", str(to), "--json")
    assert ran.code == 0, ran.err
    assert "Before the start, put the master key" in ran.err
    shutil.copy(tmp_path / "kept.key", key)
    shell = place.start()
    assert {position: answers(shell, position) for position in expected} == expected
    receipts = ["--anchor", f"{first['position']}:{first['head']}"]
    verified = shell("verify", *receipts).json
    assert (verified["ok"], verified["lost_calls"]) == (True, 0)
    shell("verify", "--anchor", f"{second['position']}:{second['head']}")
    shell(*TRAIN, "--seed", "10")
    assert shell("verify").json["ok"]


def test_bad_input_says_what_would_be_right(place: Place, tmp_path: Path) -> None:
    shell = place.start()
    assert "is not empty and no back-up" in shell("backup", str(tmp_path), code=6).problem["detail"]
    assert "There is no folder 'abcd'" in shell("restore", "abcd", code=2).problem["detail"]
    to = tmp_path / "backup"
    shell("backup", str(to), "--with-master-key")
    assert "already" in shell("restore", str(to), code=6).problem["detail"]  # a backend runs on it
