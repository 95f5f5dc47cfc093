"""What is left of confinement on older kernels, and on other machines."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.files.blobs import FileBlobs
from adapters.tasks import landlock, seccomp
from adapters.tasks.confinement import Confinement
from domain.errors import BadInputError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    landlock.abi() < landlock.SCOPES_SINCE or platform.machine() not in seccomp.MACHINES,
    reason="this kernel has no Landlock with scopes (Linux 6.12), or this machine no filter",
)

SCRIPT = """
import os, sys
from pathlib import Path
from adapters.files.blobs import FileBlobs
from adapters.tasks import landlock
from adapters.tasks.confinement import Confinement
version, folder = int(sys.argv[1]), Path(sys.argv[2])
real = landlock.restrict
landlock.abi = lambda: version
landlock.restrict = lambda rules: real(rules, version=version)
blobs, scratch = FileBlobs(str(folder / "blobs")), folder / "scratch"
scratch.mkdir()
Confinement().apply(scratch=str(scratch), blobs=str(folder / "blobs"), also=[])
(scratch / "new").write_bytes(b"learned")
sha256 = FileBlobs(str(folder / "blobs"), str(scratch)).put_file(str(scratch / "new")).sha256
(scratch / "new").write_bytes(b"learned")
FileBlobs(str(folder / "blobs"), str(scratch)).put_file(str(scratch / "new"))
try:
    print((folder / "master.key").read_text(), sha256)
except PermissionError:
    print("hidden", sha256)
"""


@pytest.mark.parametrize(("version", "said"), [(0, "secret"), (1, "hidden"), (2, "hidden"), (4, "hidden")])
def test_older_kernels_confine_less_and_tasks_work_all_the_same(tmp_path: Path, version: int, said: str) -> None:
    (tmp_path / "master.key").write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(version), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told, sha256 = done.stdout.split()
    assert told == said
    assert FileBlobs(str(tmp_path / "blobs")).check(sha256) is None


@pytest.mark.parametrize("version", [0, 1, 5])
def test_what_an_older_kernel_lacks_is_reported_or_refused(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    assert Confinement("require").describe().endswith("nothing is missing")
    monkeypatch.setattr(landlock, "abi", lambda: version)
    lacking = "Landlock: tasks may read" if version == 0 else "tasks may signal this user's processes"
    assert lacking in Confinement("auto").describe()
    with pytest.raises(BadInputError, match="AUTOLEARN_SANDBOX=require, but this machine lacks"):
        Confinement("require").describe()
    assert "not confined" in Confinement("off").describe()


def test_an_unknown_machine_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert "tasks may open sockets" in Confinement("auto").describe()
    with pytest.raises(OSError, match="pdp11"):
        seccomp.forbid_calls()
