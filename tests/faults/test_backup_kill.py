"""kill -9 in the middle of back-ups and restores: what was finished before can be restored, the next one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import ConflictError
from server.compose.backup import back_up
from server.compose.restore import restore
from server.settings import Settings, read_settings
from tests.embedded.test_backup import last, positions, verified
from tests.embedded.test_lost_tails import live

ROOT = Path(__file__).parents[2]
SECONDS = 120
STEPS = ("log", "audit log", "blobs")
PROGRAM = """
import os, signal, sys
from pathlib import Path
from adapters.embedded.backup import log_copy
from server.compose.backup import back_up
from server.compose.restore import restore
from server.settings import read_settings
log_copy.BATCH = 2  # entries of a transaction: there are some
make, (data, folder, name) = {"back_up": back_up, "restore": restore}[sys.argv[1]], sys.argv[2:]
for step in make(read_settings(data=Path(data)), Path(folder)):
    if step.get("step") == name:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(what: str, settings: Settings, folder: Path, step: str) -> None:
    """Run a back-up or a restore that is killed within a step of it."""
    command = [sys.executable, "-c", PROGRAM, what, str(settings.data), str(folder), step]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
def test_a_killed_back_up_or_restore_leaves_nothing_half(tmp_path: Path) -> None:
    settings, to = read_settings(data=tmp_path / "data"), tmp_path / "backup"
    live(settings, "ana", "bob")
    first = last(back_up(settings, to, with_master_key=True))
    live(settings, *(f"client-{number}" for number in range(8)))
    for step in STEPS:
        killed("back_up", settings, to, step)
        fresh = read_settings(data=tmp_path / f"after-{step}")
        assert last(restore(fresh, to))["head"] == first["head"]
    assert last(back_up(settings, to))["position"] == len(positions(settings)) == 10

    fresh = read_settings(data=tmp_path / "fresh")
    for step in STEPS:
        killed("restore", fresh, to, step)
        with pytest.raises(ConflictError, match="was interrupted"):
            live(fresh)
    assert last(restore(fresh, to))["ok"]
    assert positions(fresh) == positions(settings)
    live(fresh, "eva")
    assert verified(fresh.data)["ok"]
