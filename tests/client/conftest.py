"""A real backend, a shell of its user, and the same user in Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autolearn import Backend, connect
from tests.end_to_end.place import Place, Shell


@contextmanager
def own_backend(data: Path) -> Iterator[Shell]:
    """Run a backend on a data directory; yields the shell of its user."""
    at = Place(data)
    try:
        yield at.start()
    finally:
        at.stop()


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A backend for all tests of the client, with two committed experiments and an open session."""
    with own_backend(tmp_path_factory.mktemp("backend") / "data") as shell:
        shell("train", "iris", "naive-bayes", "--seed", "7", "--evaluate")
        shell("train", "iris", "decision-tree", "-p", "max_depth=3", "--seed", "7", "--evaluate", "--commit")
        shell("train", "wine", "naive-bayes", "--seed", "7")
        yield shell


@pytest.fixture
def backend(shell: Shell) -> Backend:
    """The backend as this user has it in Python."""
    return connect(shell.url, credentials=shell.credentials)
