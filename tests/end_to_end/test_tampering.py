"""Whatever byte of what is stored is changed, `verify` says so; and what an anchor knows cannot be rewritten or cut."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server.inspection.inspections import inspect_offline
from tests.end_to_end.place import Place

CHANGES_PER_FILE = 3


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a life in it, whose backend has stopped."""
    at = Place(tmp_path_factory.mktemp("stored") / "data")
    try:
        shell = at.start()
        shell("train", "iris", "decision-tree", "--seed", "1", "--evaluate")
        shell("commit", "--message", "to be tampered with")
    finally:
        at.stop()
    return at.data


def verified(data: Path, **arguments: Any) -> dict[str, Any]:
    """The answer of `verify` on a data directory."""
    *_, last = inspect_offline("verify", str(data), arguments)
    return dict(last["result"])


def stored_files(data: Path) -> list[Path]:
    """The log, the communications, the read models and every blob."""
    return sorted(path.relative_to(data) for path in [*data.glob("*.db"), *data.glob("blobs/*/*/*")])


def test_untouched_it_is_right(stopped: Path) -> None:
    answer = verified(stopped)
    assert (answer["ok"], answer["faults"], answer["unanswered"]) == (True, [], [])


def test_a_changed_byte_is_found_in_every_file(stopped: Path, tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same places each time
    files = stored_files(stopped)
    assert len(files) >= 3 + 4 + 2
    for name in files:
        for turn in range(CHANGES_PER_FILE):
            copy = tmp_path / f"{name.name}-{turn}"
            shutil.copytree(stopped, copy)
            place = changed(copy / name, chance)
            assert not verified(copy)["ok"], f"{name}: byte {place} was changed and verify is content"


def changed(path: Path, chance: random.Random) -> int:
    """Flip one bit of a byte that is in use: of a database, a byte that is not zero (unused space is)."""
    content = bytearray(path.read_bytes())
    used = [at for at, byte in enumerate(content) if byte] if path.suffix == ".db" else range(len(content))
    place = chance.choice(used)
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return place


def test_a_rewritten_event_is_found_at_its_position(stopped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy)
    with sqlite3.connect(copy / "events.db") as log:
        (position,) = log.execute("SELECT rowid FROM stored_events WHERE topic = 'training-completed.v1'").fetchone()
        log.execute(
            "UPDATE stored_events SET state = CAST(replace(state, '\"attempt\":1', '\"attempt\":2') AS BLOB)"
            " WHERE rowid = ?",
            (position,),
        )
    log.close()
    assert position in [fault["position"] for fault in verified(copy)["faults"]]


def test_a_cut_tail_is_found_by_an_anchor(stopped: Path, tmp_path: Path) -> None:
    whole = verified(stopped)
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy)
    with sqlite3.connect(copy / "events.db") as log:
        (first,) = log.execute("SELECT first FROM commits ORDER BY position DESC LIMIT 1").fetchone()
        log.execute("DELETE FROM stored_events WHERE rowid >= ?", (first,))
        log.execute("DELETE FROM commits WHERE first >= ?", (first,))
    log.close()
    anchor = f"{whole['position']}:{whole['head']}"
    faults = verified(copy, anchor=anchor)["faults"]
    assert any("anchor" in fault["what"] for fault in faults), faults


@pytest.mark.parametrize("harm", ["cut", "overwritten", "removed"])
def test_a_log_that_cannot_be_opened_is_a_fault(stopped: Path, tmp_path: Path, harm: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy)
    log = copy / "events.db"
    if harm == "removed":
        log.unlink()
    else:
        content = log.read_bytes()
        log.write_bytes(content[:9000] if harm == "cut" else bytes(200) + content[200:])
    answer = verified(copy)
    assert not answer["ok"]
    assert "events.db" in answer["faults"][0]["what"]
