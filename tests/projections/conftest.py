"""A world per test: in memory, or in files and followed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from adapters.embedded.read_models.database import ReadDatabase
from tests.projections.verified import Place
from tests.projections.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[World]:
    """A world in files, its runner started."""
    world = World(Database(tmp_path / "events.db"), ReadDatabase(tmp_path / "read-1.db"))
    world.runner.start()
    yield world
    world.runner.stop()
    world.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A world that verify is asked about."""
    place = Place(tmp_path)
    yield place
    place.close()
