"""A forkserver that dies loses no task that it was asked for: the next one makes it, once, unless it is closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from adapters.tasks import forkserver
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits, UnstartedTask
from commands.ports import TaskDone, TaskSpec
from domain.errors import NotAbleError

pytestmark = pytest.mark.slow
TIMEOUT = 60.0
DESCRIBE = TaskSpec("describe", {})


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[ProcessLauncher]:
    made = ProcessLauncher(
        str(tmp_path), str(tmp_path / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
    )
    made.prepare()
    yield made
    made.close()


def server_of(launcher: ProcessLauncher) -> int:
    assert launcher.forkserver_pid
    return launcher.forkserver_pid


def when_asked(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Do something between the request for a child and the order that it is to read."""
    write = forkserver._write

    def do_and_write(descriptor: int, data: memoryview) -> None:
        deed()
        write(descriptor, data)

    monkeypatch.setattr(forkserver, "_write", do_and_write)


def test_a_server_that_was_just_killed_is_replaced(launcher: ProcessLauncher) -> None:
    killed = server_of(launcher)
    os.kill(killed, signal.SIGKILL)  # its end is not waited for: it may be dying still
    assert isinstance(launcher.start(DESCRIBE).result(), TaskDone)
    assert launcher.forkserver_pid not in (killed, None)


def test_a_request_that_lay_before_a_server_when_it_was_killed_is_made_again(
    launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, asked = server_of(launcher), Event()
    assert isinstance(launcher.start(DESCRIBE).result(), TaskDone)  # so that it listens
    os.kill(server, signal.SIGSTOP)
    when_asked(monkeypatch, asked.set)
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(launcher.start, DESCRIBE)
        assert asked.wait(TIMEOUT)
        os.kill(server, signal.SIGKILL)
        assert isinstance(task.result(TIMEOUT).result(), TaskDone)


def test_many_requests_before_one_dead_server_share_the_next_one(
    launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, asked, number = server_of(launcher), Event(), iter(range(8))
    os.kill(server, signal.SIGSTOP)
    when_asked(monkeypatch, lambda: asked.set() if next(number, 0) == 3 else None)
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(launcher.start, DESCRIBE) for _ in range(4)]
        assert asked.wait(TIMEOUT)
        os.kill(server, signal.SIGKILL)
        outcomes = [task.result(TIMEOUT).result() for task in tasks]
    assert [type(outcome) for outcome in outcomes] == [TaskDone] * 4


def test_a_server_that_dies_again_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = tmp_path / "deaths"
    (tmp_path / "deadly.py").write_text(f"import os\nopen({str(deaths)!r}, 'a').write('x')\nos._exit(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("adapters.tasks.forkserver.PRELOAD", ["deadly"])
    launcher = ProcessLauncher(
        str(tmp_path), str(tmp_path / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
    )
    with pytest.raises(NotAbleError, match="No task process can be made now"):
        launcher.start(DESCRIBE)
    launcher.close()
    assert deaths.read_text() == "xx"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_launcher_that_is_closed_meanwhile_stays_closed(
    launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = server_of(launcher)

    def kill_and_close() -> None:
        os.kill(server, signal.SIGKILL)
        launcher.close()

    when_asked(monkeypatch, kill_and_close)
    assert isinstance(launcher.start(DESCRIBE), UnstartedTask)
    assert launcher.forkserver_pid is None


def test_a_server_that_still_loads_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endless.py").write_text("import signal\nsignal.pause()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("adapters.tasks.forkserver.PRELOAD", ["endless"])
    launcher = ProcessLauncher(
        str(tmp_path), str(tmp_path / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
    )
    asked = Event()
    when_asked(monkeypatch, asked.set)
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(launcher.start, DESCRIBE)
        assert asked.wait(TIMEOUT)
        launcher.close()
        assert isinstance(task.result(TIMEOUT), UnstartedTask)


def test_what_fails_on_this_side_is_not_tried_again(launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail() -> None:
        asked.append(1)
        raise OSError("no descriptor is left")

    when_asked(monkeypatch, fail)
    server = server_of(launcher)
    with pytest.raises(NotAbleError, match="no descriptor is left"):
        launcher.start(DESCRIBE)
    assert (asked, launcher.forkserver_pid) == ([1], server)
