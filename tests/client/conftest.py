"""A real backend, a shell of its user, and the same user in Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autolearn import Backend, connect
from tests.end_to_end.place import Place, Shell


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A backend for all tests of the client, with two committed experiments and an open session."""
    at = Place(tmp_path_factory.mktemp("backend") / "data")
    try:
        shell = at.start()
        shell("train", "iris", "naive-bayes", "--seed", "7", "--evaluate")
        shell("train", "iris", "decision-tree", "-p", "max_depth=3", "--seed", "7", "--evaluate", "--commit")
        shell("train", "wine", "naive-bayes", "--seed", "7")
        yield shell
    finally:
        at.stop()


@pytest.fixture
def backend(shell: Shell) -> Backend:
    """The backend as this user has it in Python."""
    return connect(shell.url, credentials=shell.credentials)
