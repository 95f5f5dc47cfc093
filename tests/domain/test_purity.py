"""The domain decides without clock, I/O or randomness, and imports nothing that has them."""

from __future__ import annotations

import ast
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eventsourcing.domain
import pytest

import domain
from domain.dataset import Dataset
from domain.experiment import Experiment
from domain.session import Session
from tests.domain import facts as f
from tests.domain.specification import folded
from tests.domain.test_datasets import content

ALLOWED = {
    "__future__",
    "bisect",
    "collections.abc",
    "dataclasses",
    "datetime",
    "difflib",
    "eventsourcing.domain",
    "json",
    "math",
    "packaging.version",
    "pydantic",
    "re",
    "typing",
}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}
FILES = sorted(Path(domain.__file__).parent.glob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_imports_only_what_is_pure(file: Path) -> None:
    found = set(imports(ast.parse(file.read_text())))
    assert {name for name in found if name not in ALLOWED and name.partition(".")[0] != "domain"} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_reads_no_clock(file: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    assert [call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in CLOCKS] == []


def decided() -> list[Any]:
    session, experiment = Session.create_blank("session:ana:1"), Experiment.create_blank(f"experiment:{f.ID}")
    session.open("ana")
    session.add(f.ID)
    experiment.request_training(**f.REQUEST)
    experiment.start(f.ID, 1, f.WORKER)
    experiment.complete_training(1, f.WORKER, f.RESULT)
    experiment.request_evaluation([f.PRECISION], None)
    experiment.start(f.E1, 1, f.WORKER)
    experiment.complete_evaluation(f.E1, 1, f.WORKER, {"precision:macro": 0.9})
    session.commit([f.ID], None)
    experiment.commit(f.SESSION)
    dataset = Dataset.create_blank("dataset:flowers")
    dataset.register(content())
    return [*session.collect_events(), *experiment.collect_events(), *dataset.collect_events()]


def test_decides_and_folds_the_same_without_any_clock_or_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    before = decided()

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a decision read the clock or drew at random")

    for module, name in [(time, "time"), (time, "time_ns"), (random, "random"), (uuid, "uuid4")]:
        monkeypatch.setattr(module, name, refuse)
    for name in ("datetime_now_with_tzinfo", "uuid4"):
        monkeypatch.setattr(eventsourcing.domain, name, refuse, raising=False)
    monkeypatch.setattr(eventsourcing.domain.CanCreateTimestamp, "create_timestamp", refuse)
    assert decided() == before
    stream = [event for event in before if event.originator_id == f"experiment:{f.ID}"]
    assert folded(Experiment.create_blank(f"experiment:{f.ID}"), stream).standing == "committed"
    monkeypatch.undo()
