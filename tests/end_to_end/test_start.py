"""How a backend starts: bad settings are refused the same way in the foreground and detached, and files are private."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from adapters.security.keys import make_master_key
from tests.end_to_end.place import Place, Shell

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_a_bad_setting_is_bad_input_also_detached(tmp_path: Path, detach: list[str]) -> None:
    shell = Shell(NOWHERE, tmp_path / "none", tmp_path / "data", {"AUTOLEARN_SLOTS": "0"})
    ran = shell.plain("up", "--port", "0", *detach)
    assert (ran.code, "AUTOLEARN_SLOTS" in ran.err) == (2, True), ran.err


def test_it_does_not_listen_for_others_while_local_is_its_only_client(tmp_path: Path) -> None:
    data = tmp_path / "data"
    open_ = {"AUTOLEARN_LISTEN": "0.0.0.0"}  # noqa: S104 - that it is refused is the point
    shell = Shell(NOWHERE, data / "credentials.json", data, open_)
    assert "only client" in shell.plain("up", "--port", "0").err
    shell("client", "add", "ana", "--offline")
    shell("client", "revoke", "ana", "--offline")
    ran = shell.plain("up", "--port", "0", "--detach")
    assert (ran.code, "only client" in ran.err) == (2, True), ran.err


def test_what_is_stored_is_its_owners_alone(place: Place) -> None:
    place.data.mkdir(mode=0o755)
    place.start()("train", "iris", "naive-bayes")
    place.stop()
    files = [
        path for path in place.data.rglob("*") if path.is_file() and path.name not in ("backend.log", "positions.json")
    ]
    assert {path.name for path in files} >= {"events.db", "communications.db", "master.key"}
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_lost_master_key_is_not_replaced(place: Place) -> None:
    place.start()
    place.stop()
    (place.data / "master.key").unlink()
    ran = Shell(NOWHERE, place.data / "credentials.json", place.data).plain(
        "up", "--port", "0", "--data", str(place.data)
    )
    assert (ran.code, "master.key" in ran.err) == (2, True), ran.err
    assert not (place.data / "master.key").exists()


def test_another_master_key_is_refused_and_nothing_changes(place: Place) -> None:
    place.start()
    place.stop()
    other = place.data.parent / "other.key"
    make_master_key(other)
    before = _held(place.data / "events.db")
    shell = Shell(NOWHERE, place.data / "credentials.json", place.data, {"AUTOLEARN_MASTER_KEY_FILE": str(other)})
    ran = shell.plain("up", "--port", "0")
    assert (ran.code, f"master key {other} does not fit the data directory" in ran.err) == (2, True), ran.err
    assert _held(place.data / "events.db") == before


def _held(database: Path) -> list[str]:
    """All that it holds: its bytes also change when what stands in the -wal file beside it is taken in."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())
