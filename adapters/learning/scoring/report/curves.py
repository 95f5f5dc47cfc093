"""One class against the rest: what each threshold would give, how far probabilities come true, how scores spread."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics

from adapters.learning.scoring.report.predictions import Predictions, count_in_bins, to_name, to_number, to_numbers

MOST_POINTS = 100
MOST_CLASSES = 20
SCORE_BINS = 20
CALIBRATION_BINS = 10


def curves_of(predictions: Predictions, positive: Any) -> dict[str, Any] | None:
    """Return the curves of the positive class, or of the most frequent classes; None without scores."""
    if predictions.scores is None or predictions.classes is None:
        return None
    known = dict(zip(*(part.tolist() for part in np.unique(predictions.truth, return_counts=True)), strict=True))
    counts = [known.get(label, 0) for label in predictions.classes.tolist()]
    chosen = np.sort(np.argsort(counts, kind="stable")[::-1][:MOST_CLASSES])
    if positive is not None:
        chosen = np.flatnonzero(predictions.classes == positive)
    of_classes = [
        {"class": to_name(predictions.classes[place]), "rows": int(counts[place])}
        | class_curves(
            predictions.truth == predictions.classes[place],
            predictions.scores[:, place],
            are_probabilities=predictions.are_probabilities,
        )
        for place in chosen
    ]
    return {
        "scores": "probabilities" if predictions.are_probabilities else "decision values",
        "of_classes": of_classes,
        "classes_left_out": 0 if positive is not None else len(predictions.classes) - len(chosen),
    }


def class_curves(
    is_of_class: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], *, are_probabilities: bool
) -> dict[str, Any]:
    """Return areas, the table of thresholds, calibration (of probabilities) and the histogram of the scores."""
    edges = np.linspace(0, 1, SCORE_BINS + 1) if are_probabilities else count_in_bins(scores, SCORE_BINS)[1]
    spread = [np.histogram(scores[chosen], edges)[0].tolist() for chosen in (is_of_class, ~is_of_class)]
    return {
        **_thresholds(is_of_class, scores),
        "calibration": _calibration(is_of_class, scores) if are_probabilities else None,
        "histogram": {"edges": to_numbers(edges), "of_class": spread[0], "of_others": spread[1]},
    }


def _thresholds(is_of_class: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return what is right and wrong if all rows from a score on count as of the class; none lies above the first."""
    if is_of_class.all() or not is_of_class.any():
        return {"roc_area": None, "average_precision": None, "thresholds": None}
    _, wrong, _, right, values = metrics.confusion_matrix_at_thresholds(is_of_class, scores)
    wrong, right, values = np.r_[0, wrong], np.r_[0, right], np.r_[np.nan, values]
    recall, false_positive_rate = right / right[-1], wrong / wrong[-1]
    precision = np.r_[1.0, right[1:] / (right[1:] + wrong[1:])]
    shown = _spread_evenly(np.stack([recall, false_positive_rate, precision]))
    table = {
        "threshold": values,
        "recall": recall,
        "false_positive_rate": false_positive_rate,
        "precision": precision,
    }
    return {
        "roc_area": float(metrics.auc(false_positive_rate, recall)),
        "average_precision": float(np.sum(np.diff(recall) * precision[1:])),
        "thresholds": {name: to_numbers(column[shown]) for name, column in table.items()},
    }


def _spread_evenly(curves: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Choose at most so many points, equally far from each other along the curves."""
    way = np.r_[0.0, np.cumsum(np.abs(np.diff(curves)).sum(axis=0))]
    if len(way) <= MOST_POINTS:
        return np.arange(len(way))
    return np.unique(np.searchsorted(way, np.linspace(0.0, way[-1], MOST_POINTS)))


def _calibration(is_of_class: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return mean probability and share of the class in bins of equal width (scikit-learn's `calibration_curve`).

    `error` is the mean distance of the two, weighted by rows (expected calibration error).
    """
    places = np.searchsorted(np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1], scores)
    rows = np.bincount(places)
    filled = rows > 0
    predicted, observed = (
        np.bincount(places, weights)[filled] / rows[filled] for weights in (scores, is_of_class.astype(float))
    )
    rows = rows[filled]
    return {
        "predicted": to_numbers(predicted),
        "observed": to_numbers(observed),
        "rows": rows.tolist(),
        "error": to_number(float(np.average(np.abs(predicted - observed), weights=rows))),
        "brier": float(np.mean((scores - is_of_class) ** 2)),
    }
