"""The real application over the embedded adapters, with real learning in threads of this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.learning.tables.builtin import BUILTIN
from commands.catalog.offer_catalog import BuiltinDataset
from tests.http.rig import Rig
from tests.tasks.inline import InlineLauncher


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    wine = BUILTIN["wine"]
    dataset = BuiltinDataset("wine", wine.target, wine.licence, wine.source)
    rig = Rig(tmp_path_factory.mktemp("data"), lambda blobs: InlineLauncher(blobs, 2), (dataset,))
    yield rig
    rig.close()
