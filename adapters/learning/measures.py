"""AutoLearn's own scorers `(estimator, X, y)`: the measures that need more than predicted classes."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

import numpy as np
from sklearn import metrics
from sklearn.pipeline import Pipeline

from domain.errors import BadInputError

BINARY = 2


def roc_auc(estimator: Any, X: Any, y: Any, average: Literal["macro", "micro", "weighted"] = "macro") -> float:  # noqa: N803 - the parameter names of a scikit-learn scorer
    """Compute the area under the ROC curve: each class against the rest; of two classes, the last in order.

    Works on probabilities or on decision values, whichever the model gives; NaN where a class is missing in y.
    """
    scores = _scores(estimator, X)
    if len(estimator.classes_) == BINARY:
        return float(metrics.roc_auc_score(y == estimator.classes_[1], scores))
    truth = np.asarray(y)[:, None] == estimator.classes_[None, :]
    return float(metrics.roc_auc_score(truth, scores, average=average))


def log_loss(estimator: Any, X: Any, y: Any) -> float:  # noqa: N803 - the parameter names of a scikit-learn scorer
    """Compute the logistic loss of the predicted probabilities; smaller is better."""
    if not hasattr(estimator, "predict_proba"):
        raise BadInputError(
            "log-loss needs a model that gives probabilities; this one gives none (roc-auc takes decision values too)."
        )
    return float(metrics.log_loss(y, estimator.predict_proba(X), labels=estimator.classes_))


def confusion_matrix(estimator: Any, X: Any, y: Any) -> list[list[int]]:  # noqa: N803 - the parameter names of a scikit-learn scorer
    """Count each true class (row) predicted as each class (column), classes in sorted order."""
    table = metrics.confusion_matrix(y, estimator.predict(X), labels=estimator.classes_)
    return [[int(count) for count in row] for row in table]


def _scores(estimator: Any, X: Any) -> Any:  # noqa: N803 - the parameter names of a scikit-learn scorer
    if hasattr(estimator, "predict_proba"):
        scores = estimator.predict_proba(X)
        return scores[:, 1] if len(estimator.classes_) == BINARY else scores
    if hasattr(estimator, "decision_function"):
        return _one_per_class(estimator).decision_function(X)
    msg = "roc-auc needs a model that gives probabilities or decision values, and this one gives classes only."
    raise BadInputError(msg)


def _one_per_class(estimator: Any) -> Any:
    """Return the model with a decision value for each class: as it was set, an SVM may give one for each pair."""
    final = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if final.get_params(deep=False).get("decision_function_shape") != "ovo":
        return estimator
    ours = copy(final).set_params(decision_function_shape="ovr")
    return Pipeline([*estimator.steps[:-1], (estimator.steps[-1][0], ours)]) if final is not estimator else ours
