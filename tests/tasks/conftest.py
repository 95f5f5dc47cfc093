"""A launcher whose children have the hostile plug-in installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskDone, TaskOutcome, TaskSpec

Deed = Callable[..., TaskSpec]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    source = Path(__file__).with_name("hostile_plugin.py").read_text()
    scope: dict[str, Any] = {}
    exec(compile(source, "hostile_plugin.py", "exec"), scope)  # noqa: S102 - tests are not importable by name here
    scope["install"](folder)
    return folder


@pytest.fixture(scope="module")
def shared(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessLauncher]:
    folder = tmp_path_factory.mktemp("blobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        patch.setenv("AUTOLEARN_MASTER", "a secret that no task may see")
        patch.syspath_prepend(str(site))
        launcher = ProcessLauncher(
            str(folder),
            str(folder / "scratch"),
            slots=1,
            limits=Limits(deadline=3600, memory=4 << 30),
            confinement=Confinement("off"),
        )
        launcher.prepare()
    yield launcher
    launcher.close()


@pytest.fixture
def launcher(shared: ProcessLauncher) -> Iterator[ProcessLauncher]:
    """Return the shared launcher, its limits as they were."""
    yield shared
    shared._limits = Limits(deadline=3600, memory=4 << 30)


@pytest.fixture(scope="module")
def iris(shared: ProcessLauncher) -> str:
    stored = shared.start(TaskSpec("ingest", {"builtin": "iris", "target": "species"})).result()
    assert isinstance(stored, TaskDone), stored
    return str(stored.facts["blob"]["sha256"])


@pytest.fixture
def deed(iris: str) -> Deed:
    """Return a function that makes the task of a deed of the hostile model."""

    def task(name: str, fifo: Path | None = None) -> TaskSpec:
        if fifo is not None:
            os.mkfifo(fifo)
        facts = {
            "experiment": "a" * 16,
            "model": {"name": "hostile", "version": "1.0", "distribution": "hostile"},
            "settings": {"deed": name, "fifo": str(fifo or "")},
            "seed": 1,
            "test_size": 0.25,
            "dataset": {"name": "iris", "version": 1, "sha256": iris},
            "target": "species",
        }
        return TaskSpec("fit", facts)

    return task


@pytest.fixture
def run(launcher: ProcessLauncher, iris: str) -> Callable[[str], TaskOutcome]:
    """Run code in a task, as a model that pries: `launcher` and `iris` are those of the test's module."""

    def run(code: str) -> TaskOutcome:
        facts = {
            "experiment": "a" * 16,
            "model": {"name": "prying", "version": "1.0", "distribution": "prying"},
            "settings": {"code": code},
            "seed": 1,
            "test_size": 0.25,
            "dataset": {"name": "iris", "version": 1, "sha256": iris},
            "target": "species",
        }
        return launcher.start(TaskSpec("fit", facts)).result()

    return run
