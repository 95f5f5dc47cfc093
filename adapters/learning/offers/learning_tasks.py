"""What a model predicts, classes or numbers, and what a measure can be computed of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.utils import get_tags

from adapters.learning.offers.catalog import takes_estimator
from domain.values import LearningTask

ROWS = np.arange(12.0)[:, None]
EXAMPLES: dict[LearningTask, tuple[Any, np.ndarray[Any, Any]]] = {
    "classification": (LogisticRegression, np.array(["a", "a", "b"] * 4)),
    "regression": (LinearRegression, ROWS[:, 0] / 2 + 0.25),
}


def task_of(estimator: Any) -> LearningTask:
    """Return what an estimator says of itself; one that says nothing is taken for a classifier."""
    kind = get_tags(estimator).estimator_type
    if kind not in {None, "classifier", "regressor"}:
        raise TypeError(f"it is a {kind}, and AutoLearn trains classifiers and regressors")
    return "regression" if kind == "regressor" else "classification"


def find_tasks(measure: Callable[..., Any], settings: dict[str, Any]) -> list[LearningTask]:
    """Return what a measure is of: what its attribute `tasks` says, else what it can be computed of, tried on examples.

    It is taken to be of both where no example tells.
    """
    stated = getattr(measure, "tasks", None)
    if stated is not None:
        chosen = [task for task in EXAMPLES if task in stated]
        if not chosen:
            raise TypeError(f"its tasks are {stated!r}: they must be of {', '.join(EXAMPLES)}.")
        return chosen
    options = {"average": settings["average"]["default"]} if settings else {}
    return [task for task in EXAMPLES if _can_measure(measure, task, options)] or [*EXAMPLES]


def _can_measure(measure: Callable[..., Any], task: LearningTask, options: dict[str, Any]) -> bool:
    kind, truth = EXAMPLES[task]
    model = kind().fit(ROWS, truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if takes_estimator(measure):
                measure(model, ROWS, truth, **options)
            else:
                measure(truth, model.predict(ROWS), **options)
        except Exception:  # noqa: BLE001 - a measure may refuse in any way what it is not for
            return False
    return True
