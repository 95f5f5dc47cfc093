"""What every launcher promises, for task processes and for their in-process twin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.files.blobs import FileBlobs
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskBroken, TaskDone, TaskSpec
from tests.tasks.inline import InlineLauncher

pytestmark = pytest.mark.slow
IRIS = TaskSpec("ingest", {"builtin": "iris", "target": "species"})
SLOTS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blobs")


@pytest.fixture(scope="module", params=["process", "inline"])
def launcher(request: pytest.FixtureRequest, folder: Path) -> Iterator[ProcessLauncher | InlineLauncher]:
    made: ProcessLauncher | InlineLauncher
    if request.param == "process":
        made = ProcessLauncher(
            str(folder), str(folder / "scratch"), slots=SLOTS, limits=Limits(deadline=3600, memory=4 << 30)
        )
    else:
        made = InlineLauncher(FileBlobs(str(folder)), slots=SLOTS)
    made.prepare()
    yield made
    made.close()


def fit_facts(sha256: str, **others: Any) -> dict[str, Any]:
    return {
        "experiment": "a" * 16,
        "model": {"name": "decision-tree", "version": "0.1.0", "distribution": "autolearn"},
        "settings": {"max_depth": 3},
        "seed": 1,
        "test_size": 0.25,
        "dataset": {"name": "iris", "version": 1, "sha256": sha256},
        "target": "species",
        **others,
    }


def test_the_answer_of_a_task_comes_back(launcher: ProcessLauncher) -> None:
    outcome = launcher.start(IRIS).result()
    assert isinstance(outcome, TaskDone)
    assert outcome.facts["rows"] == 150
    assert outcome.facts["classes"] == ["setosa", "versicolor", "virginica"]


def test_a_result_can_be_asked_for_again_and_from_several_threads(launcher: ProcessLauncher) -> None:
    task = launcher.start(IRIS)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda _: task.result(), range(3)))
    assert outcomes == [task.result()] * 3


def test_tasks_run_at_the_same_time_and_do_not_mix(launcher: ProcessLauncher) -> None:
    names = {"iris": "species", "wine": "cultivar", "breast-cancer": "diagnosis"}
    tasks = [launcher.start(TaskSpec("ingest", {"builtin": name, "target": names[name]})) for name in names]
    outcomes = [task.result() for task in tasks]
    assert [outcome.facts["rows"] for outcome in outcomes if isinstance(outcome, TaskDone)] == [150, 178, 569]


def test_blobs_of_a_task_are_in_the_folder(launcher: ProcessLauncher, folder: Path) -> None:
    outcome = launcher.start(IRIS).result()
    assert isinstance(outcome, TaskDone)
    fitted = launcher.start(TaskSpec("fit", fit_facts(outcome.facts["blob"]["sha256"]))).result()
    assert isinstance(fitted, TaskDone), fitted
    for name in ("model_blob", "learned_blob"):
        assert FileBlobs(str(folder)).check(fitted.facts[name]["sha256"]) is None


def test_bad_input_is_an_outcome_with_a_sentence(launcher: ProcessLauncher) -> None:
    outcome = launcher.start(TaskSpec("ingest", {"builtin": "iris", "target": "colour"})).result()
    assert isinstance(outcome, TaskBroken)
    assert outcome.reason == "bad-input"
    assert "'colour'" in outcome.detail
    assert "species" in outcome.detail


def test_a_missing_blob_and_an_unknown_model_are_errors(launcher: ProcessLauncher) -> None:
    missing = launcher.start(TaskSpec("fit", fit_facts("0" * 64))).result()
    assert missing == TaskBroken("error", f"The stored file {'0' * 64} is missing.")
    foreign = {"name": "oracle", "version": "1", "distribution": "delphi"}
    unknown = launcher.start(TaskSpec("fit", fit_facts("0" * 64, model=foreign))).result()
    assert isinstance(unknown, TaskBroken)
    assert unknown.reason == "error"
    assert "'oracle'" in unknown.detail


def test_a_cancelled_task_ends_cancelled(launcher: ProcessLauncher, tmp_path: Path) -> None:
    fifo = tmp_path / "never-written"
    os.mkfifo(fifo)  # it cannot end before it is cancelled
    task = launcher.start(TaskSpec("ingest", {"path": str(fifo), "format": "csv", "gzip": False, "target": "x"}))
    task.cancel()
    task.cancel()
    assert task.result() == TaskBroken("cancelled", "The task was cancelled.")


def test_cancelling_after_the_end_changes_nothing(launcher: ProcessLauncher) -> None:
    task = launcher.start(IRIS)
    outcome = task.result()
    task.cancel()
    assert task.result() == outcome
    assert isinstance(outcome, TaskDone)


def test_slots_are_limited_and_come_back(launcher: ProcessLauncher) -> None:
    assert [launcher.take_slot() for _ in range(SLOTS + 1)] == [True] * SLOTS + [False]
    launcher.free_slot()
    assert launcher.take_slot()
    assert not launcher.take_slot()
    for _ in range(SLOTS):
        launcher.free_slot()
    with pytest.raises(ValueError, match="released"):
        launcher.free_slot()


def test_ingest_and_describe_need_no_slot(launcher: ProcessLauncher) -> None:
    taken = [launcher.take_slot() for _ in range(SLOTS)]
    try:
        assert isinstance(launcher.start(IRIS).result(), TaskDone)
    finally:
        for _ in taken:
            launcher.free_slot()
