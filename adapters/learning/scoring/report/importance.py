"""Permutation importance: how much worse the predictions get if the values of one column are shuffled."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer

from adapters.learning.preparation.frame import Frame
from adapters.learning.scoring.report.predictions import to_name, to_number

SECONDS = 10.0
MOST_REPEATS = 5
FEWEST_ROWS = 500
MOST_COLUMNS = 100


def importance_of(model: Any, part: Frame, seed: int) -> dict[str, Any]:
    """Return the mean fall of balanced accuracy, or of R² of a regressor, by column; the greatest first.

    Repeats, then rows, are fewer where all of them would take longer than about ten seconds.
    """
    measure = "r2" if is_regressor(model) else "balanced_accuracy"
    scorer, count, columns = get_scorer(measure), len(part.target), part.features.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the measures of the evaluation have warned already
        begin = time.perf_counter()
        value = scorer(model, part.features, part.target)
        passes = SECONDS / max((time.perf_counter() - begin) * columns, 1e-9)
        repeats = int(np.clip(passes, 1, MOST_REPEATS))
        rows = min(count, max(FEWEST_ROWS, int(count * min(1.0, passes / repeats))))
        found = permutation_importance(
            model, part.features, part.target, scoring=scorer, n_repeats=repeats, random_state=seed, max_samples=rows
        )
    order = np.argsort(-found.importances_mean, kind="stable")[:MOST_COLUMNS]
    names = [str(name) for name in part.features.columns]
    return {
        "measure": measure.replace("_", "-"),
        "value": to_number(float(value)),
        "repeats": repeats,
        "rows": rows,
        "columns": [
            {
                "column": to_name(names[place]),
                "mean": to_number(float(found.importances_mean[place])),
                "std": to_number(float(found.importances_std[place])),
            }
            for place in order
        ],
        "columns_left_out": columns - len(order),
    }
