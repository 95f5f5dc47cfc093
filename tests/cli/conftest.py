"""A fake backend, this user's credentials for it, and the command line as a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from cli.main import main
from tests.cli.fake_backend import FakeBackend

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("ana", 1, Fernet.generate_key())


@pytest.fixture
def backend(credentials: Credentials) -> Iterator[FakeBackend]:
    backend = FakeBackend(credentials)
    yield backend
    backend.stop()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> Path:
    """Make a data directory with credentials, and an environment without anything else of AutoLearn's."""
    for name in ("AUTOLEARN_URL", "AUTOLEARN_CREDENTIALS", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOLEARN_DATA", str(tmp_path))
    credentials.write(tmp_path / "credentials.json")
    return tmp_path


@pytest.fixture
def client(backend: FakeBackend, home: Path, credentials: Credentials) -> BackendClient:
    positions = Positions.of(home / "credentials.json", backend.url, credentials.client, credentials.key)
    return BackendClient(backend.url, credentials, positions, pause=lambda _: None)


@pytest.fixture
def run(backend: FakeBackend, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command against the fake backend."""
    del home
    monkeypatch.setenv("AUTOLEARN_URL", backend.url)

    def run(*arguments: str) -> Ran:
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
