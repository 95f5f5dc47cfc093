"""`up --mode distributed`: one command starts all processes, heals what dies, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.up import started
from domain.errors import BadInputError
from tests.deploy.test_supervisor import runs, until
from tests.end_to_end.place import SECONDS, Shell, loose

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def data(tmp_path: Path, kafka: str, mongodb: str, installation: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and an environment that names the servers."""
    for name, value in {"KAFKA": kafka, "MONGODB": mongodb, "DATABASE": installation}.items():
        monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    return tmp_path / "data"


def children(pid: int) -> dict[str, int]:
    """The processes that a process has started, by their words after `cli.main`."""
    below = [int(it) for task in Path(f"/proc/{pid}/task").iterdir() for it in (task / "children").read_text().split()]
    words = {it: Path(f"/proc/{it}/cmdline").read_text().split("\0") for it in below}
    return {
        " ".join(it[it.index("cli.main") + 1 : it.index("--port")]): pid for pid, it in words.items() if "--port" in it
    }


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_all_processes_start_heal_and_end(data: Path) -> None:
    process, url = started(data, 0, "--mode", "distributed")
    try:
        shell = Shell(url, data / "credentials.json", data, {"AUTOLEARN_MODE": "distributed"})
        trained = shell("train", "iris", "naive-bayes", "--evaluate").json
        before = children(process.pid)
        assert len(before) == 12
        os.kill(before["serve session"], signal.SIGKILL)
        until(lambda: shell("session", code=None).code == 0)
        assert shell("commit").json["experiments"] == [trained["experiment"]]
        assert [it["experiment"] for it in shell("history").json["experiments"]] == [trained["experiment"]]
        after = children(process.pid)
        assert {name for name in after if after[name] != before[name]} == {"serve session"}
        assert loose(data) == []
        assert shell.plain("down", "--data", str(data)).code == 0
        assert process.wait(SECONDS) == 0
        assert [name for name, pid in after.items() if runs(pid)] == []
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_a_bad_setting_is_one_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_LISTEN", "0.0.0.0")  # noqa: S104 - that is what is refused
    with pytest.raises(BadInputError, match="`up` does not listen on"):
        started(data, 0, "--mode", "distributed")


def test_a_refusal_of_a_process_is_that_of_all(data: Path) -> None:
    data.mkdir()
    (data / "master.key").write_text("no key")
    with pytest.raises(BadInputError, match=r"The backend did not start: .*master.key"):
        started(data, 0, "--mode", "distributed")
