"""Blobs with a few data sets in them, and the task functions as the child calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.files.blobs import FileBlobs
from adapters.learning.run_task import run_task
from commands.ports import TaskBroken, TaskDone
from tests.learning.reading import Read, reader

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SOURCES: dict[str, dict[str, Any]] = {
    "iris": {"builtin": "iris", "target": "species"},
    "breast-cancer": {"builtin": "breast-cancer", "target": "diagnosis"},
    "penguins": {"path": str(PENGUINS), "format": "csv", "gzip": False, "target": "species"},
}


class Learning:
    """Runs tasks in this process on blobs of its own."""

    def __init__(self, folder: Path) -> None:
        self.blobs = FileBlobs(str(folder))
        self.known: dict[str, dict[str, Any]] = {}

    def done(self, kind: str, **facts: Any) -> dict[str, Any]:
        outcome = run_task(kind, facts, self.blobs)
        assert isinstance(outcome, TaskDone), outcome
        return outcome.facts

    def refusal(self, kind: str, **facts: Any) -> str:
        outcome = run_task(kind, facts, self.blobs)
        assert isinstance(outcome, TaskBroken), outcome
        assert outcome.reason == "bad-input", outcome
        return outcome.detail

    def stored(self, name: str) -> dict[str, Any]:
        if name not in self.known:
            self.known[name] = self.done("ingest", **SOURCES[name])
        return self.known[name]

    def facts(self, dataset: str, model: str, **others: Any) -> dict[str, Any]:
        return {
            "experiment": "a" * 16,
            "model": {"name": model, "version": "0.1.0", "distribution": "autolearn"},
            "settings": {},
            "seed": 7,
            "test_size": 0.25,
            "preparation": 2,
            "dataset": {"name": dataset, "version": 1, "sha256": self.stored(dataset)["blob"]["sha256"]},
            "target": SOURCES[dataset]["target"],
            **others,
        }

    def score(
        self, facts: dict[str, Any], done: dict[str, Any], measures: list[dict[str, Any]], on: Any = None
    ) -> dict[str, Any]:
        chosen = {**facts, "model_blob": done["model_blob"]["sha256"], "on": on, "measures": measures}
        found: dict[str, Any] = self.done("score", **chosen)["measures"]
        return found

    def reproduce(self, facts: dict[str, Any], done: dict[str, Any], **others: Any) -> dict[str, Any]:
        blobs = {name: done[name]["sha256"] for name in ("model_blob", "learned_blob")}
        return self.done("reproduce", **{**facts, **blobs, "provenance": done["provenance"], **others})

    def add_csv(self, name: str, text: str, target: str, **others: Any) -> None:
        """Store a data set of a test under a name."""
        path = Path(self.blobs.scratch(".csv"))
        path.write_text(text)
        SOURCES[name] = {"path": str(path), "format": "csv", "gzip": False, "target": target, **others}


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Learning:
    return Learning(tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def fitted(learning: Learning) -> Callable[[str, str], tuple[dict[str, Any], dict[str, Any]]]:
    """Return a function that trains once per data set and model, and returns the facts and the answer."""
    kept: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}

    def fit(dataset: str, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
        if (dataset, model) not in kept:
            facts = learning.facts(dataset, model)
            kept[dataset, model] = facts, learning.done("fit", **facts)
        return kept[dataset, model]

    return fit


@pytest.fixture
def read(learning: Learning, tmp_path: Path) -> Read:
    """Return a function that ingests a file, a text or bytes."""
    return reader(learning.blobs, tmp_path)
