"""A verification of much checks the read models in a process of their own, and finds the same there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.inspection import read_model_process
from server.inspection.inspections import inspect_offline
from tests.damage import installation

CHANGE = "UPDATE document SET body = replace(body, 'committed', 'discarded') WHERE kind = 'experiment'"


def verified(data: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the steps in their order, and the result."""
    *steps, last = inspect_offline("verify", str(data), {})
    return list(dict.fromkeys(step["what"] for step in steps)), last["result"]


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_model_process, "WORTH_EVENTS", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def test_it_finds_what_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    data = installation.make(tmp_path / "data")
    monkeypatch.delenv("AUTOLEARN_MODE", raising=False)
    sound = verified(data)[1]
    with closing(sqlite3.connect(data / "read-models-1.db", isolation_level=None)) as connection:
        assert connection.execute(CHANGE).rowcount
    alone = verified(data)
    request.getfixturevalue("two_cores")
    beside = verified(data)
    assert alone[0][2] == beside[0][-1] == "read models"
    assert sound["ok"]
    assert alone[1]["faults"] == beside[1]["faults"] != []


@pytest.mark.usefixtures("two_cores")
def test_it_leaves_databases_of_a_killed_backend_to_one_process(tmp_path: Path) -> None:
    steps, result = verified(installation.make(tmp_path / "data", killed=True))
    assert steps.index("read models") == 2
    assert result["ok"]


@pytest.mark.usefixtures("two_cores")
def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = installation.make(tmp_path / "data")
    monkeypatch.setattr(read_model_process, "READ_MODELS", "nothing-like-that")
    faults = [fault["what"] for fault in verified(data)[1]["faults"]]
    assert any(what.startswith("read models cannot be checked to the end") for what in faults)
