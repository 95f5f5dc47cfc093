"""What a model predicts, and what a measure is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from adapters.learning import measures
from adapters.learning.offers.describe import averages_of
from adapters.learning.offers.learning_tasks import find_tasks, task_of

BOTH = ["classification", "regression"]


class Silent(BaseEstimator):
    """Does not say what it is."""


def count_equal(y_true: Any, y_pred: Any) -> int:
    return int((y_true == y_pred).sum())


def fail(y_true: Any, y_pred: Any) -> float:
    raise RuntimeError(y_true, y_pred)


def stated(y_true: Any, y_pred: Any) -> float:
    return float((y_true == y_pred).mean())


stated.tasks = ("regression",)  # type: ignore[attr-defined]  # as a plug-in says it


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        (RandomForestClassifier(), "classification"),
        (ElasticNet(), "regression"),
        (make_pipeline(StandardScaler(), ElasticNet()), "regression"),
        (GridSearchCV(ElasticNet(), {}), "regression"),
        (Silent(), "classification"),
    ],
)
def test_a_model_predicts_what_scikit_learn_says(estimator: Any, task: str) -> None:
    assert task_of(estimator) == task


def test_what_predicts_neither_is_refused() -> None:
    with pytest.raises(TypeError, match="it is a clusterer, and AutoLearn trains classifiers and regressors"):
        task_of(KMeans())


@pytest.mark.parametrize(
    ("measure", "tasks"),
    [
        (metrics.jaccard_score, ["classification"]),
        (metrics.mean_squared_log_error, ["regression"]),
        (metrics.get_scorer("neg_mean_absolute_error"), ["regression"]),
        (metrics.get_scorer("roc_auc"), ["classification"]),
        (measures.confusion_matrix, ["classification"]),
        (count_equal, BOTH),
        (fail, BOTH),
        (stated, ["regression"]),
    ],
)
def test_a_measure_is_of_what_it_states_or_can_be_computed_of(measure: Callable[..., Any], tasks: list[str]) -> None:
    assert find_tasks(measure, averages_of(measure)) == tasks


def test_tasks_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stated, "tasks", ("clustering",))
    with pytest.raises(TypeError, match="must be of classification, regression"):
        find_tasks(stated, {})
