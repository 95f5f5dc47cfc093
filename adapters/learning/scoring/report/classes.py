"""The report of a classifier: precision and recall of each class, which were mistaken for which, the worst errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.learning.scoring.report.predictions import Predictions, to_name, to_number

LARGEST_MATRIX = 100  # classes; beyond it only the largest counts
MOST_CELLS = 2000
MOST_WRONG = 50


def classes_of(predictions: Predictions) -> dict[str, Any]:
    """Return `{classes, confusion, wrong}`; counts are by the order of `classes`."""
    known = predictions.classes if predictions.classes is not None else predictions.predicted[:0]
    labels, places = np.unique(np.concatenate([known, predictions.truth, predictions.predicted]), return_inverse=True)
    columns, truth, predicted = np.split(places, [len(known), len(known) + len(predictions.truth)])
    size = len(labels)
    counts = np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)
    column_of = np.full(size, -1)
    column_of[columns] = np.arange(len(columns))
    return {
        "classes": _per_class([to_name(label) for label in labels], counts),
        "confusion": _confusion(counts),
        "wrong": _most_wrong(predictions, column_of[truth], column_of[predicted]),
    }


def _per_class(names: list[str], counts: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Return precision, recall and F1 of each class; None where it was never predicted, or is not in these rows."""
    right, rows, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        shares = right / predicted, right / rows, 2 * right / (predicted + rows)
    return [
        {"class": name, "rows": int(rows[place]), "predicted": int(predicted[place])}
        | {
            measure: to_number(float(share[place]))
            for measure, share in zip(("precision", "recall", "f1"), shares, strict=True)
        }
        for place, name in enumerate(names)
    ]


def _confusion(counts: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the matrix (a row for each true class), or of a large one the largest cells: [true, predicted, count]."""
    if len(counts) <= LARGEST_MATRIX:
        return {"counts": counts.tolist(), "cells": None, "rows_left_out": 0}
    flat = counts.ravel()
    chosen = np.argsort(-flat, kind="stable")[: min(MOST_CELLS, np.count_nonzero(flat))]
    cells = [[*map(int, divmod(place, len(counts))), int(flat[place])] for place in chosen]
    return {"counts": None, "cells": cells, "rows_left_out": int(flat.sum() - flat[chosen].sum())}


def _most_wrong(
    predictions: Predictions, true_columns: np.ndarray[Any, Any], columns: np.ndarray[Any, Any]
) -> list[dict[str, Any]]:
    """Return the wrong rows, first those whose class has the score farthest below the predicted one's."""
    wrong = np.flatnonzero(predictions.truth != predictions.predicted)
    scores = predictions.scores
    if scores is None:
        given = of_truth = np.full(len(wrong), np.nan)
    else:
        given = scores[wrong, columns[wrong]]
        of_truth = np.where(true_columns[wrong] < 0, np.nan, scores[wrong, true_columns[wrong]])
    order = np.argsort(np.nan_to_num(of_truth, nan=-np.inf) - np.nan_to_num(given), kind="stable")[:MOST_WRONG]
    return [
        {
            "row": int(predictions.numbers[wrong[place]]),
            "true": to_name(predictions.truth[wrong[place]]),
            "predicted": to_name(predictions.predicted[wrong[place]]),
            "score_of_true": to_number(float(of_truth[place])),
            "score_of_predicted": to_number(float(given[place])),
        }
        for place in order
    ]
