"""The report of a regressor: how far its predictions are from the truth, and its worst errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.learning.scoring.report.classes import MOST_WRONG
from adapters.learning.scoring.report.predictions import Predictions, count_in_bins, to_number, to_numbers

MOST_POINTS = 1000
RESIDUAL_BINS = 20
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def numbers_of(predictions: Predictions) -> dict[str, Any]:
    """Return `{residuals, points, wrong}`; a residual is the prediction minus the truth."""
    truth, predicted = predictions.truth.astype(float), predictions.predicted.astype(float)
    residuals = predicted - truth
    counts, edges = count_in_bins(residuals, RESIDUAL_BINS)
    order = np.argsort(truth, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, MOST_POINTS).round().astype(int))]
    wrong = np.argsort(-np.abs(residuals), kind="stable")[:MOST_WRONG]
    return {
        "residuals": {
            "mean": to_number(float(residuals.mean())),
            "std": to_number(float(residuals.std())),
            "quartiles": to_numbers(np.quantile(residuals, QUARTILES)),
            "histogram": {"edges": to_numbers(edges), "counts": counts},
        },
        "points": {
            "true": to_numbers(truth[shown]),
            "predicted": to_numbers(predicted[shown]),
            "rows_left_out": len(order) - len(shown),
        },
        "wrong": [
            {
                "row": int(predictions.numbers[place]),
                "true": to_number(float(truth[place])),
                "predicted": to_number(float(predicted[place])),
                "residual": to_number(float(residuals[place])),
            }
            for place in wrong
        ],
    }
