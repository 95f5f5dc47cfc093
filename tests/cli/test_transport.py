"""How long the client waits: a raw file may have to wait for others to be ingested before it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from autolearn.transport import ANSWER_SECONDS, INGEST_SECONDS
from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend, Reply


@pytest.fixture
def timeouts(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """List the timeouts that sockets of this process were given."""
    given: list[float | None] = []
    settimeout = socket.socket.settimeout

    def noted(self: socket.socket, seconds: float | None) -> None:
        given.append(seconds)
        settimeout(self, seconds)

    monkeypatch.setattr(socket.socket, "settimeout", noted)
    return given


def test_an_upload_is_waited_for_longer(
    backend: FakeBackend, run: Run, tmp_path: Path, timeouts: list[float | None]
) -> None:
    backend.on("GET", "/session", Reply({"session": None}))
    backend.on("POST", "/catalog/datasets", Reply({"name": "x", "version": 1}, 201))
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    assert run("session").code == 0
    assert (ANSWER_SECONDS in timeouts, INGEST_SECONDS in timeouts) == (True, False)
    assert run("dataset", "add", str(file), "--name", "x", "--target", "b").code == 0
    assert INGEST_SECONDS in timeouts
