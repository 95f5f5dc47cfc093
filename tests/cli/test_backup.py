"""`backup` and `restore` say what is lacking, and what to do about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli import exit_codes
from domain.errors import ConflictError
from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend

MADE: dict[str, Any] = {
    "ok": True,
    "backup": "/mnt/backup",
    "position": 7,
    "master_key": "not in the back-up",
    "key_file": "/var/lib/autolearn/master.key",
    "lost_blobs": [],
    "damage": [],
    "faults": [],
}
RESTORED = {name: value for name, value in MADE.items() if name != "backup"} | {
    "fingerprint": "ab12",
    "damaged_blobs": [],
}


def answering(monkeypatch: pytest.MonkeyPatch, name: str, function: str, *steps: dict[str, Any] | Exception) -> None:
    """Let a back-up or a restore take these steps."""

    def run(*_: object, **__: object) -> Iterator[dict[str, Any]]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    module = ModuleType(f"server.compose.{name}")
    setattr(module, function, run)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_a_back_up_says_what_is_in_it_and_what_is_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "backup", "back_up", {"step": "log", "position": 3, "of": 7}, MADE)
    ran = run("backup", "/mnt/backup", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, MADE)
    assert "keep a copy of /var/lib/autolearn/master.key elsewhere" in ran.err


def test_what_is_lacking_is_a_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, fault = MADE | {"ok": False, "lost_blobs": ["ab" * 32]}, {"position": 3, "what": "it was changed"}
    answering(monkeypatch, "backup", "back_up", lost)
    ran = run("backup", "/mnt/backup")
    assert (ran.code, "abab" in ran.out) == (exit_codes.DIFFERENT, True)
    assert "The installation itself lacks 1 blob" in ran.err
    answering(monkeypatch, "backup", "back_up", MADE | {"ok": False, "faults": [fault]})
    ran = run("backup", "/mnt/backup")
    assert (ran.code, "it was changed" in ran.out) == (exit_codes.DIFFERENT, True)
    assert "The back-up is whole" in ran.err
    answering(monkeypatch, "backup", "back_up", MADE | {"ok": False, "damage": ["page 3 is wrong"]})
    ran = run("backup", "/mnt/backup")
    assert (ran.code, "page 3 is wrong" in ran.out) == (exit_codes.DIFFERENT, True)
    assert "the back-up is not finished" in ran.err
    answering(monkeypatch, "backup", "back_up", ConflictError("It is not empty."))
    assert run("backup", "/mnt/backup").code == exit_codes.CONFLICT


def test_a_restore_says_where_the_master_key_belongs(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answering(monkeypatch, "restore", "restore", RESTORED | {"master_key": None})
    ran = run("restore", str(tmp_path))
    assert ran.code == 0
    assert "put the master key at /var/lib/autolearn/master.key (its fingerprint is ab12)" in ran.err
    answering(monkeypatch, "restore", "restore", RESTORED | {"ok": False, "lost_blobs": ["ab" * 32]})
    ran = run("restore", str(tmp_path))
    assert (ran.code, "1 blob was lost before" in ran.err) == (exit_codes.DIFFERENT, True)
    answering(monkeypatch, "restore", "restore", RESTORED | {"ok": False, "damaged_blobs": ["ab" * 32, "cd" * 32]})
    ran = run("restore", str(tmp_path))
    assert (ran.code, "2 blobs are damaged or missing in the back-up itself" in ran.err) == (exit_codes.DIFFERENT, True)


def test_a_reason_tells_an_experiment_from_a_back_up(run: Run, backend: FakeBackend) -> None:
    ran = run("restore", "nowhere")
    assert (ran.code, "say why: --reason TEXT" in ran.err) == (exit_codes.BAD_INPUT, True)
    ran = run("restore", "abcd", "--reason", "fine", "--mode", "embedded")
    assert (ran.code, "leave out --data and --mode" in ran.err) == (exit_codes.BAD_INPUT, True)
    assert backend.seen == []
