"""A real backend for a test, or for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.place import Place, Shell


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fresh data directory; what still runs on it is stopped afterwards."""
    at = Place(tmp_path / "data")
    yield at
    at.stop()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A backend for all tests of a module."""
    at = Place(tmp_path_factory.mktemp("backend") / "data")
    try:
        yield at.start()
    finally:
        at.stop()
