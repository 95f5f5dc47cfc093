"""Numbers to predict: which models may learn them, by what they are measured, and what is named where one may not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from commands.catalog.register_dataset import RegisterDataset
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import TaskDone
from commands.training.request_search import RequestSearch
from commands.training.request_training import RequestTraining
from commands.unit_of_work import load
from domain.errors import BadInputError
from domain.search import Search
from domain.values import search_stream
from tests.commands.examples import FLOWER, described, ingest
from tests.commands.launcher import done
from tests.commands.stage import CATALOG, Caller, Stage

COLUMNS = FLOWER | {"length": "number", "width": "integer", "when": "time"}
RIDGE = RequestTraining("lengths", "ridge", seed=7)


def of_numbers(kind: str, name: str, *tasks: str) -> dict[str, Any]:
    offer = described(kind, name, {})
    return offer | {"description": offer["description"] | {"tasks": tasks or ["regression"], "digest": name}}


@pytest.fixture(autouse=True)
def lengths(stage: Stage, admin: Caller) -> None:
    """Offer a regressor and measures of numbers, and a data set for each task."""
    models = [of_numbers("model", "ridge"), of_numbers("model", "dummy-regressor")]
    measures = [of_numbers("measure", name) for name in ("r2", "mae", "rmse")]
    both = of_numbers("measure", "hit-count", "classification", "regression")
    stage.launcher.scripts["describe"] = done(models=models, measures=[*measures, both])
    admin.do(CATALOG)
    found = ingest({"path": "two-flowers.csv"})
    assert isinstance(found, TaskDone)
    stage.launcher.scripts["ingest"] = TaskDone(found.facts | {"columns": COLUMNS})
    admin.do(RegisterDataset("kinds", "kind", "two-flowers.csv"))
    admin.do(RegisterDataset("widths", "width", "two-flowers.csv"))
    stage.launcher.scripts["ingest"] = TaskDone(found.facts | {"columns": COLUMNS, "task": "regression", "classes": []})
    admin.do(RegisterDataset("lengths", "length", "two-flowers.csv"))
    stage.launcher.children.clear()


def test_a_regressor_is_trained_and_measured_by_the_measures_of_numbers(stage: Stage, ana: Caller) -> None:
    name = ana.do(RIDGE).body["experiment"]
    assert stage.launcher.child("fit").spec.facts["learning_task"] == "regression"
    assert stage.experiment(name).training.learning_task == "regression"
    assert ana.do(RequestEvaluation()).body["measures"].keys() == {"r2", "mae", "rmse"}
    assert stage.launcher.child("score").spec.facts["learning_task"] == "regression"
    assert ana.do(RequestEvaluation(None, ("hit-count",))).body["measures"] == {"hit-count": 0.9}


@pytest.mark.parametrize(
    ("dataset", "model", "target", "task"),
    [
        ("kinds", "ridge", "length", "regression"),
        ("kinds", "svm", "width", "classification"),
        ("kinds", "ridge", "width", "regression"),
        ("lengths", "svm", "kind", "classification"),
        ("lengths", "ridge", "length", "regression"),
        ("widths", "svm", None, "classification"),
    ],
)
def test_what_is_predicted_follows_the_target_and_then_the_model(
    stage: Stage, ana: Caller, dataset: str, model: str, target: str | None, task: str
) -> None:
    name = ana.do(RequestTraining(dataset, model, target=target)).body["experiment"]
    assert stage.experiment(name).training.learning_task == task


@pytest.mark.parametrize(
    ("dataset", "model", "target", "sentence"),
    [
        (
            "lengths", "svm", None,
            ("The target 'length' holds numbers (task regression), and svm does not predict them. "
             "Choose one of dummy-regressor, ridge, or add the data set with --task classification."),
        ),
        (
            "kinds", "ridge", None,
            ("The target 'kind' holds classes (task classification), and ridge does not predict them. "
             "Choose one of logistic-regression, svm."),
        ),
        ("widths", "ridge", None, "or add the data set with --task regression."),
        ("lengths", "ridge", "kind", "Choose one of logistic-regression, svm."),
        ("kinds", "ridge", "when", "The target 'when' holds times"),
    ],
)  # fmt: skip
def test_a_model_of_the_other_task_is_refused_with_the_right_ones(
    stage: Stage, ana: Caller, dataset: str, model: str, target: str | None, sentence: str
) -> None:
    with stage.refused(BadInputError, sentence):
        ana.do(RequestTraining(dataset, model, target=target))


def test_a_measure_of_the_other_task_is_refused_with_the_right_ones(stage: Stage, ana: Caller) -> None:
    ana.do(RIDGE)
    sentence = "The model predicts numbers (task regression), and recall is not for them. Choose one of hit-count, mae"
    with stage.refused(BadInputError, sentence, allowed=["hit-count", "mae", "r2", "rmse"]):
        ana.do(RequestEvaluation(None, ("recall",)))
    with stage.refused(BadInputError, "A threshold is for two classes, and the data has numbers"):
        ana.do(RequestEvaluation(threshold=0.5))
    ana.do(replace(RIDGE, dataset="kinds", model="svm"))
    with stage.refused(BadInputError, "The model predicts classes (task classification), and r2 is not for them."):
        ana.do(RequestEvaluation(None, ("r2",)))


def test_a_search_is_for_one_of_both(stage: Stage, ana: Caller) -> None:
    search = ana.do(RequestSearch("lengths", ("ridge", "dummy-regressor"))).body
    assert search["by"] == "r2"
    asked = load(stage.store, Search, search_stream(search["search"])).asked
    assert asked.learning_task == "regression"
    assert ana.do(RequestSearch("kinds", ("ridge", "dummy-regressor"), target="width")).body["by"] == "r2"
    with stage.refused(BadInputError, "The target 'width' holds numbers (task regression), and svm does not"):
        ana.do(RequestSearch("kinds", ("ridge", "svm"), target="width"))
    with stage.refused(BadInputError, "The model predicts numbers (task regression), and recall is not for them."):
        ana.do(RequestSearch("lengths", ("ridge", "dummy-regressor"), by="recall"))
