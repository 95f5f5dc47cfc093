"""`up --mode distributed`: one process with all roles, or several on one socket, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.up import start_backend
from domain.errors import BadInputError
from tests.end_to_end.place import SECONDS, Shell, loose

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def data(tmp_path: Path, kafka: str, mongodb: str, installation: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and an environment that names the servers."""
    for name, value in {"KAFKA": kafka, "MONGODB": mongodb, "DATABASE": installation}.items():
        monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    return tmp_path / "data"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@contextmanager
def backend(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Shell]]:
    """Run `up` for a while."""
    process, url = start_backend(data, 0, "--mode", "distributed", *options)
    try:
        yield process, Shell(url, data / "credentials.json", data, {"AUTOLEARN_MODE": "distributed"})
    finally:
        process.terminate()
        process.wait(SECONDS)


def instances_of(pid: int) -> list[int]:
    """The processes that one has started."""
    return [int(it) for task in Path(f"/proc/{pid}/task").iterdir() for it in (task / "children").read_text().split()]


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def live(shell: Shell) -> None:
    """Train, commit, rebuild, reproduce, and find all that is stored in agreement, the topics with it."""
    trained = shell("train", "iris", "naive-bayes", "--evaluate").json
    assert shell("wait", shell("train", "wine", "svm", "--no-wait").json["experiment"]).json["state"] == "completed"
    assert trained["experiment"] in shell("commit").json["experiments"]
    assert shell("history", "--where", "precision > 0.1").json["experiments"][-1]["experiment"] == trained["experiment"]
    assert shell("reproduce", trained["experiment"]).json["verdict"] == "bit-identical"
    assert shell("rebuild", "--all").json["rebuilt"]
    assert shell("verify", "--against", "kafka").json["ok"]


@pytest.mark.usefixtures("no_umask")
def test_one_process_has_all_roles(data: Path) -> None:
    with backend(data) as (process, shell):
        live(shell)
        assert "autolearn_relay_position" in httpx.get(f"{shell.url}/metrics").text
        assert loose(data) == []
        assert shell.plain("down", "--data", str(data)).code == 0
        assert process.wait(SECONDS) == 0
        assert shell.plain("session").code == 3


def test_instances_share_one_address_and_end_together(data: Path) -> None:
    with backend(data, "--instances", "2") as (process, shell):
        instances = instances_of(process.pid)
        assert len(instances) == 2
        live(shell)
        rows = shell("log", "--limit", "500").json["communications"]
        assert len({row["writer"] for row in rows}) == 2
        assert shell.plain("down", "--data", str(data)).code == 0
        assert process.wait(SECONDS) == 0
        assert not any(map(runs, instances))


@pytest.mark.parametrize("who", ["an instance", "their parent"])
def test_when_one_dies_the_others_end(data: Path, who: str) -> None:
    with backend(data, "--instances", "2") as (process, _):
        instances = instances_of(process.pid)
        os.kill(instances[1] if who == "an instance" else process.pid, signal.SIGKILL)
        assert process.wait(SECONDS) == (3 if who == "an instance" else -signal.SIGKILL)
    if who == "an instance":
        assert "An instance has ended by itself" in (data / "backend.log").read_text()
    with backend(data) as (_, shell):  # it waits for what a killed parent has left
        assert not any(map(runs, instances))
        assert shell("verify").json["ok"]


def test_ctrl_c_is_for_the_parent_which_ends_all_in_order(data: Path) -> None:
    data.mkdir(mode=0o700)
    command = [sys.executable, "-m", "cli.main", "up", "--mode", "distributed", "--instances", "2"]
    with subprocess.Popen(
        [*command, "--data", str(data), "--port", "0"], stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        assert process.stderr is not None
        assert any("AutoLearn answers at http://127.0.0.1:" in line for line in process.stderr)
        instances = instances_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert not any(map(runs, instances))


def test_beyond_loopback_it_wants_other_clients_first(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_LISTEN", "0.0.0.0")  # noqa: S104 - that is what is refused
    with pytest.raises(BadInputError, match="`local` is its only client"):
        start_backend(data, 0, "--mode", "distributed")


@pytest.mark.parametrize("instances", ["1", "2"])
def test_a_refusal_of_a_process_is_that_of_all(data: Path, instances: str) -> None:
    data.mkdir()
    (data / "master.key").write_text("no key")
    with pytest.raises(BadInputError, match=r"The backend did not start: .*master.key"):
        start_backend(data, 0, "--mode", "distributed", "--instances", instances)
