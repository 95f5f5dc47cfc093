"""`up` and `down` where the backend has the lock and has not said yet who it is."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import up
from cli.places import backend_url
from cli.serving import url_of
from tests.cli.conftest import Run


@contextmanager
def locked(folder: Path, content: str = "") -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """List whom a signal would have reached."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


@pytest.mark.parametrize("content", ["", "{", '{"pid": 0, "url": ""}', '{"pid": -1, "url": ""}'])
def test_down_ends_nobody_while_the_holder_is_unknown(
    run: Run, home: Path, killed: list[tuple[int, int]], content: str
) -> None:
    with locked(home, content):
        ran = run("down")
    assert (ran.code, killed) == (6, [])
    assert "starting or stopping: try again" in ran.err


def test_down_of_a_process_that_is_gone_already(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int, number: int) -> None:
        raise ProcessLookupError(pid, number)

    monkeypatch.setattr(os, "kill", gone)
    with locked(home, json.dumps({"pid": 12345, "url": ""})):
        assert run("down").code == 6


def test_down_asks_the_holder_to_stop(
    run: Run, home: Path, killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "STOP_SECONDS", 0.0)
    with locked(home, json.dumps({"pid": 12345, "url": "http://127.0.0.1:1"})):
        ran = run("down")
    assert killed == [(12345, signal.SIGTERM)]
    assert ran.code == 124


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
