"""One backend in memory per test, and three callers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.asgi import Caller
from tests.http.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig.prepared(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def ana(rig: Rig) -> Caller:
    return rig.caller("ana")


@pytest.fixture
def bob(rig: Rig) -> Caller:
    return rig.caller("bob")


@pytest.fixture
def root(rig: Rig) -> Caller:
    return rig.caller("root")
