"""AutoLearn's own scorers `(estimator, X, y)`: the measures that need more than predicted classes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn import metrics

from domain.errors import BadInputError

BINARY = 2


def roc_auc(estimator: Any, X: Any, y: Any, average: Literal["macro", "micro", "weighted"] = "macro") -> float:  # noqa: N803 - the parameter names of a scikit-learn scorer
    """Compute the area under the ROC curve: each class against the rest; of two classes, the last in order.

    Works on probabilities or on decision values, whichever the model gives; NaN where a class is missing in y.
    """
    scores = class_scores(estimator, X)
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


def class_scores(estimator: Any, X: Any) -> Any:  # noqa: N803 - the parameter names of a scikit-learn scorer
    """Return what tells the classes apart: a column for each, or of two classes the scores of the last in order."""
    if hasattr(estimator, "predict_proba"):
        scores = estimator.predict_proba(X)
        return scores[:, 1] if len(estimator.classes_) == BINARY else scores
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(X)
    msg = "roc-auc needs a model that gives probabilities or decision values, and this one gives classes only."
    raise BadInputError(msg)
