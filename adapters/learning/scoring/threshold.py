"""The probability from which on the positive one of two classes is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import FixedThresholdClassifier

from adapters.learning.preparation.frame import Frame
from adapters.learning.scoring.fitted_folds import fit_folds, pool
from domain.errors import BadInputError
from domain.values import Folds

FOLDS = 5


def check_probabilities(model: Any) -> None:
    """Refuse a model that gives none."""
    if not hasattr(model, "predict_proba"):
        msg = "A threshold is a probability, and this model gives none: leave the threshold out."
        raise BadInputError(msg)


def apply_threshold(model: Any, threshold: float | None, positive: Any) -> Any:
    """Return a model that predicts by the threshold; the model itself where there is none."""
    if threshold is None:
        return model
    return FixedThresholdClassifier(model, threshold=threshold, pos_label=positive, response_method="predict_proba")


def find_best_threshold(facts: dict[str, Any], learned: Frame, positive: Any) -> float:
    """Return the threshold with the best F1 of the positive class, over the folds of the rows that were learned from.

    It is one of the probabilities that the models of the folds gave to the rows they did not see.
    """
    rarest = int(np.unique(learned.target, return_counts=True)[1].min())
    most = FOLDS if learned.split_by is None else len(np.unique(learned.split_by)) - 1
    try:
        folds = pool(fit_folds(facts, learned, Folds(kind="kfold", k=max(2, min(FOLDS, rarest, most)))))
    except BadInputError as error:
        raise BadInputError(f"No fold of the training part can tell the best threshold. {error.sentence}") from error
    place = np.flatnonzero(folds.model.classes_ == positive)[0]
    chances = folds.model.predict_proba(folds.model.features)[:, place]
    precision, recall, thresholds = precision_recall_curve(folds.held.target == positive, chances)
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))[:-1]  # the last point has no threshold
    return float(thresholds[f1.argmax()])
