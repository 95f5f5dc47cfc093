"""`up` and `down` where the backend has the lock and has not said yet who it is."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from adapters.host import directory_lock
from adapters.host.directory_lock import started_at
from adapters.host.sockets import url_of
from autolearn.locations import backend_url
from cli import up
from domain.errors import ConflictError
from server import instances, programs
from server.detached import Detached
from tests.cli.conftest import Run


@contextmanager
def locked(folder: Path, content: str = "") -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """List the signals that a process would have got."""
    sent: list[int] = []
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda _, number: sent.append(number))
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    return sent


@pytest.fixture
def bystander() -> Iterator[int]:
    """The number of a process that has nothing to do with any backend."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process.pid


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 0, "url": ""}', '{"pid": -1, "url": ""}'])
def test_down_ends_nobody_while_the_holder_is_unknown(run: Run, home: Path, asked: list[int], content: str) -> None:
    with locked(home, content):
        ran = run("down")
    assert (ran.code, asked) == (6, [])
    assert "starting or stopping: try again" in ran.err


def test_down_of_a_process_that_is_gone_already(run: Run, home: Path, asked: list[int]) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    with locked(home, json.dumps({"pid": gone.pid, "url": ""})):
        assert (run("down").code, asked) == (6, [])


def test_down_ends_no_process_that_only_has_the_number(run: Run, home: Path, asked: list[int], bystander: int) -> None:
    """A lock that an ended process left, its number another's by now, while somebody else has the lock."""
    with locked(home, json.dumps({"pid": bystander, "url": "", "started": started_at(bystander)})):
        ran = run("down")
    assert (ran.code, asked) == (6, [])
    assert f"names process {bystander}, but that is not the one that has the lock" in ran.err


@pytest.mark.parametrize("started", [0, 1])
def test_where_the_kernel_tells_no_lock_the_start_time_decides(
    run: Run, home: Path, asked: list[int], bystander: int, monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    monkeypatch.setattr(directory_lock, "_lockers", lambda _: set())
    monkeypatch.setattr(up, "STOP_SECONDS", 0.0)
    with locked(home, json.dumps({"pid": bystander, "url": "", "started": started})):
        assert (run("down").code, asked) == (6, [])
    with locked(home, json.dumps({"pid": bystander, "url": "", "started": started_at(bystander)})):
        assert (run("down").code, asked) == (124, [signal.SIGTERM])


def test_down_asks_the_holder_to_stop(run: Run, home: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "STOP_SECONDS", 0.0)
    with locked(home, json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:1"})):
        ran = run("down")
    assert asked == [signal.SIGTERM]
    assert ran.code == 124


@pytest.mark.parametrize(("ends", "code"), [(False, 124), (True, 0)])
def test_down_waits_for_the_end_of_the_process_not_only_of_its_lock(
    run: Run, home: Path, bystander: int, monkeypatch: pytest.MonkeyPatch, ends: bool, code: int
) -> None:
    monkeypatch.setattr(directory_lock, "_lockers", lambda _: set())
    monkeypatch.setattr(up, "STOP_SECONDS", 30.0 if ends else 0.0)
    with (home / "lock").open("w") as file:
        json.dump({"pid": bystander, "url": "", "started": started_at(bystander)}, file)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)

        def give_lock_back(_: int, number: int) -> None:
            fcntl.flock(file, fcntl.LOCK_UN)
            if ends:
                os.kill(bystander, number)

        monkeypatch.setattr(signal, "pidfd_send_signal", give_lock_back)
        assert run("down").code == code


def test_down_waits_longer_than_instances_are_waited_for() -> None:
    assert up.STOP_SECONDS > instances.STOP_SECONDS + 10


def test_ctrl_c_ends_a_detached_backend_that_does_not_answer_yet(
    home: Path, bystander: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    process = SimpleNamespace(pid=bystander, poll=lambda: None, terminate=lambda: ended.append("terminated"))
    monkeypatch.setattr(Detached, "start", lambda *_: SimpleNamespace(process=process))
    monkeypatch.setattr(
        up, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: signal.raise_signal(signal.SIGINT))
    )
    with pytest.raises(KeyboardInterrupt):
        up.start_backend(home, 0)
    assert ended == ["terminated"]


def test_up_beside_one_that_starts_names_no_process(run: Run, home: Path) -> None:
    with locked(home):
        ran = run("up", "--detach")
    assert ran.code == 6
    assert "it is starting or stopping" in ran.err


@pytest.mark.parametrize(
    ("address", "url"),
    [("127.0.0.1", "http://127.0.0.1:8420"), ("::1", "http://[::1]:8420"), ("localhost", "http://localhost:8420")],
)
def test_the_url_of_an_address_is_one_that_the_client_takes(address: str, url: str) -> None:
    assert url_of(address, 8420) == backend_url(url)


class Taken:
    """A lock whose directory is gone."""

    def check_in_place(self) -> str:
        """Return why."""
        return "the directory was taken away"


def test_a_directory_taken_away_before_serving_ends_the_process_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "LOOK_SECONDS", 0.01)
    stopped = Event()
    with (
        pytest.raises(ConflictError, match="the directory was taken away"),
        programs.watched_directory(Taken(), stopped.set),  # type: ignore[arg-type]  # all that is asked of a lock
    ):
        assert stopped.wait(60)


@pytest.mark.parametrize("named", ["AUTOLEARN_DATA", "--data", "neither"])
def test_the_hint_names_a_directory_that_down_would_not_find_from_any_shell(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setattr(up, "start_backend", lambda *_, **__: (SimpleNamespace(pid=7), "http://127.0.0.1:1"))
    if named != "AUTOLEARN_DATA":
        monkeypatch.delenv("AUTOLEARN_DATA", raising=False)
    ran = run("up", "--detach", *(["--data", str(home)] if named == "--data" else []))
    assert f"`autolearn down{'' if named == 'neither' else f' --data {home}'}`" in ran.err


class Backend:
    """A detached process that writes to its data directory's lock what it waits for, and never answers."""

    def __init__(self, home: Path, pid: int, told: list[str]) -> None:
        self.home, self.pid, self.told, self.ended = home, pid, told, list[str]()
        self.log = home / "backend.log"

    @property
    def process(self) -> Backend:
        return self

    def poll(self) -> int | None:
        """Tell something else each time that it is asked."""
        waits_for = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        (self.home / "lock").write_text(json.dumps({"pid": self.pid, "url": "", "waits_for": waits_for}))
        return None

    def terminate(self) -> None:
        self.ended.append("terminated")


def test_a_start_that_takes_too_long_is_ended_and_says_what_was_missing(
    run: Run, home: Path, bystander: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Backend(home, bystander, ["", "MongoDB is away.", "MongoDB is away.", "Kafka is away."])

    def start(*_: object) -> Backend:
        locks.enter_context(locked(home))
        return backend

    monkeypatch.setattr(Detached, "start", start)
    with ExitStack() as locks:
        ran = run("up", "--detach", "--data", str(home), "--start-timeout", "1")
    assert (ran.code, backend.ended) == (124, ["terminated"])
    assert ran.err.count("The backend does not answer yet: MongoDB is away.") == 1
    assert "The backend did not answer within 1 s: Kafka is away. Its log is " in ran.err


def test_a_limit_of_the_start_is_for_detached_backends(run: Run, home: Path) -> None:
    ran = run("up", "--data", str(home), "--start-timeout", "1")
    assert (ran.code, "--start-timeout goes with --detach" in ran.err) == (2, True)
