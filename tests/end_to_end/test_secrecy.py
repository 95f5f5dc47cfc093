"""What real processes give away: nothing to a task of a plug-in, and no memory to a core dump or a debugger."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.security.keys import make_master_key
from adapters.tasks import landlock
from autolearn.credentials import Credentials
from benchmarks.memory import family
from tests.end_to_end.place import Place, Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A backend that has the prying model installed."""
    site = tmp_path / "site"
    scope: dict[str, Any] = {}
    source = (Path(__file__).parents[1] / "tasks" / "prying_plugin.py").read_text()
    exec(compile(source, "prying_plugin.py", "exec"), scope)  # noqa: S102 - tests are not importable by name here
    scope["install"](site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield place.start()
    place.stop()


@pytest.mark.skipif(landlock.abi() < landlock.NETWORK_SINCE, reason="this kernel has no TCP rules of Landlock")
@pytest.mark.parametrize(
    "code", ["open('{data}/master.key').read()", "import urllib.request; urllib.request.urlopen('{url}/health/live')"]
)
def test_a_training_that_pries_fails_as_a_training_and_learns_nothing(shell: Shell, code: str) -> None:
    code = code.format(data=shell.data, url=shell.url)
    failed = shell("train", "iris", "prying", "-p", f"code={code}", code=1).json
    assert failed["state"] == "failed"
    assert "ermission denied" in str(failed["error"])
    assert shell("train", "iris", "prying").json["state"] == "completed"
    said = (shell.data / "backend.log").read_text()
    assert f"task processes are confined (Landlock {landlock.abi()})" in said


def test_without_confinement_a_task_is_let(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_SANDBOX", "off")
    place.start()
    assert "not confined (AUTOLEARN_SANDBOX=off)" in (place.data / "backend.log").read_text()


def test_no_process_of_a_backend_leaves_a_core_dump(shell: Shell, place: Place) -> None:
    assert place.process is not None
    shell("train", "iris", "naive-bayes")
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in family(place.process.pid)]
    assert len(limits) > 1
    assert {it.split("Max core file size")[1].split()[0] for it in limits} == {"0"}


@pytest.mark.parametrize(
    "code",
    [
        "from server.runner import prepare_process; prepare_process('up', 'text')",
        "from adapters.security.keys import make_master_key; make_master_key('master.key')",
        "from adapters.security.keys import read_master_key; read_master_key('there.key')",
        "from autolearn.credentials import Credentials; Credentials.read('credentials.json')",
        "import sys; from server.inspection.__main__ import main; sys.argv = ['', 'verify']; sys.stdin.close(); main()",
        "import adapters.tasks.preload",
        "",
    ],
)
def test_whoever_holds_a_secret_can_be_dumped_by_nobody(tmp_path: Path, code: str) -> None:
    make_master_key(tmp_path / "there.key")
    Credentials("ana", 1, b"key").write(tmp_path / "credentials.json")
    ends = "finally:\n import ctypes\n print('dumpable', ctypes.CDLL(None).prctl(3))"
    command = [sys.executable, "-c", f"try:\n {code or 'pass'}\n{ends}"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert f"dumpable {0 if code else 1}" in done.stdout, done.stderr
