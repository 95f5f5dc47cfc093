"""A stage with a filled catalog for each test; at its end nothing may run on and no slot may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from tests.commands.stage import Caller, Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    it = Stage()
    it.offer()
    yield it
    it.close()
    assert it.launcher.free == it.launcher.slots


@pytest.fixture
def durable_stage(tmp_path: Path) -> Iterator[Stage]:
    """Set up a stage on a file, whose readers and writers really run at the same time."""
    it = Stage(Database(tmp_path / "log.sqlite"))
    it.offer()
    yield it
    it.close()
    assert it.launcher.free == it.launcher.slots


@pytest.fixture
def ana(stage: Stage) -> Caller:
    return stage.client("ana")


@pytest.fixture
def bo(stage: Stage) -> Caller:
    return stage.client("bo")


@pytest.fixture
def admin(stage: Stage) -> Caller:
    return stage.client("root", "sys-admin")
