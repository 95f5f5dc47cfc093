"""A third-party package, really built and installed: its model and measure are offered and work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskDone, TaskSpec
from tests.plugin_package.installed import installed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in, built and installed into a folder of its own."""
    return installed(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def launcher(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessLauncher]:
    folder = tmp_path_factory.mktemp("blobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        patch.syspath_prepend(str(site))  # later Pythons hand the parent's path to the forkserver
        launcher = ProcessLauncher(
            str(folder), str(folder / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
        )
        launcher.prepare()
    yield launcher
    launcher.close()


def run(launcher: ProcessLauncher, kind: str, **facts: Any) -> dict[str, Any]:
    outcome = launcher.start(TaskSpec(kind, facts)).result()
    assert isinstance(outcome, TaskDone), outcome
    return outcome.facts


def test_describe_lists_the_plugins_models_and_measures(launcher: ProcessLauncher) -> None:
    own = run(launcher, "describe")
    assert own["plugins"] == ["nearest-middle"]
    assert {"decision-tree", "dummy", "logistic-regression", "random-forest"} < {it["name"] for it in own["models"]}
    described = run(launcher, "describe", distribution="nearest-middle")
    models = {model["name"]: model["description"] for model in described["models"]}
    measures = {measure["name"]: measure["description"] for measure in described["measures"]}
    assert described["problems"] == []
    mine = models["nearest-middle"]
    assert (mine["distribution"], mine["version"]) == ("nearest-middle", "2.3.0")
    assert mine["description"] == "Predict the class whose middle is nearest."
    own = {name: setting for name, setting in mine["settings"].items() if not name.startswith("prepare.")}
    assert own == {
        "power": {"type": "number", "default": 2.0},
        "use_median": {"type": "boolean", "default": False},
    }
    assert measures["hit-count"]["distribution"] == "nearest-middle"
    assert measures["hit-count"]["settings"] == {}
    tasks = {name: it["tasks"] for name, it in (models | measures).items()}
    assert tasks == {
        "nearest-middle": ["classification"],
        "middle-number": ["regression"],
        "hit-count": ["classification", "regression"],
        "largest-miss": ["regression"],
        "exact-hits": ["regression"],
    }


def test_the_plugins_model_is_trained_scored_by_its_measure_and_reproduced(launcher: ProcessLauncher) -> None:
    stored = run(launcher, "ingest", builtin="iris", target="species")
    facts = {
        "experiment": "a" * 16,
        "model": {"name": "nearest-middle", "version": "2.3.0", "distribution": "nearest-middle"},
        "settings": {"use_median": True},
        "seed": 3,
        "test_size": 0.25,
        "dataset": {"name": "iris", "version": 1, "sha256": stored["blob"]["sha256"]},
        "target": "species",
    }
    fitted = run(launcher, "fit", **facts)
    model = fitted["model_blob"]["sha256"]
    measures = [{"name": "hit-count", "average": None}, {"name": "accuracy", "average": None}]
    scored = run(launcher, "score", **facts, model_blob=model, on=None, measures=measures)["measures"]
    assert scored["hit-count"] == round(scored["accuracy"] * fitted["split"]["test_rows"]) == 30
    again = run(
        launcher, "reproduce", **facts, model_blob=model,
        learned_blob=fitted["learned_blob"]["sha256"], provenance=fitted["provenance"],
    )  # fmt: skip
    assert again == {"verdict": "bit-identical", "differences": []}


def test_the_plugins_regressor_is_trained_and_scored_by_its_measure(launcher: ProcessLauncher) -> None:
    stored = run(launcher, "ingest", builtin="iris", target="species")
    facts = {
        "experiment": "b" * 16,
        "model": {"name": "middle-number", "version": "2.3.0", "distribution": "nearest-middle"},
        "settings": {},
        "preparation": 2,
        "seed": 3,
        "test_size": 0.25,
        "dataset": {"name": "iris", "version": 1, "sha256": stored["blob"]["sha256"]},
        "target": "petal length (cm)",
        "learning_task": "regression",
    }
    model = run(launcher, "fit", **facts)["model_blob"]["sha256"]
    measures = [{"name": name, "average": None} for name in ("largest-miss", "max-error", "r2")]
    scored = run(launcher, "score", **facts, model_blob=model, on=None, measures=measures)["measures"]
    assert scored["largest-miss"] == scored["max-error"] > 2
    assert scored["r2"] < 0.05
