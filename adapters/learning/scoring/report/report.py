"""The whole report of an evaluation, at most 1 MiB as JSON: docs/report.md says what each key holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from adapters.learning.measures import class_scores
from adapters.learning.preparation.frame import Frame, class_name, split_request
from adapters.learning.scoring.cached_model import CachedModel
from adapters.learning.scoring.fitted_folds import FittedFold
from adapters.learning.scoring.measure import compute_measure
from adapters.learning.scoring.report.classes import classes_of
from adapters.learning.scoring.report.curves import curves_of
from adapters.learning.scoring.report.importance import importance_of
from adapters.learning.scoring.report.numbers import numbers_of
from adapters.learning.scoring.report.predictions import Predictions
from adapters.learning.scoring.report.slices import slice_rows
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import MeasureSpec

FORMAT = "autolearn-report.v1"
OF_THE_REQUEST = ("experiment", "evaluation", "model", "settings", "dataset", "on", "target", "seed")


def build_report(
    facts: dict[str, Any], fold: FittedFold, names: dict[MeasureSpec, str], positive: Any, blobs: Blobs
) -> dict[str, Any]:
    """Return the report on the rows of a fold; `facts` are those of the score task, `names` the values' identities.

    Raises BadInputError where the column to slice by does not allow it.
    """
    seen, part = fold.model, fold.held
    predictions = predictions_of(seen, part)
    is_regression = predictions.classes is None
    of_rows = numbers_of(predictions) if is_regression else classes_of(predictions)
    return {
        "format": FORMAT,
        **{key: facts.get(key) for key in OF_THE_REQUEST},
        "cross_validation": facts.get("folds"),
        "task": "regression" if is_regression else "classification",
        "rows": len(part.target),
        "positive": None if positive is None else class_name(positive),
        **{key: of_rows.get(key) for key in ("classes", "confusion", "residuals", "points", "wrong")},
        "curves": None if is_regression else curves_of(predictions, positive),
        "slices": _slices(facts, fold, names, positive, blobs) if facts.get("by") else None,
        "importance": importance_of(seen.model, part, facts["seed"]) if facts.get("importance") else None,
    }


def predictions_of(seen: CachedModel, part: Frame) -> Predictions:
    """Return all that the model says about the rows; its answers are computed once for all measures and the report."""
    numbers = part.features.index.to_numpy() + 1
    predicted = np.asarray(seen.predict(part.features))
    if part.target.dtype.kind == "f":
        return Predictions(part.target, predicted, numbers)
    try:
        scores = np.asarray(class_scores(seen, part.features))
    except BadInputError:
        return Predictions(part.target, predicted, numbers, seen.classes_)
    are_probabilities = hasattr(seen, "predict_proba")
    if scores.ndim == 1:
        scores = np.stack([1 - scores if are_probabilities else -scores, scores], axis=1)
    return Predictions(part.target, predicted, numbers, seen.classes_, scores, are_probabilities)


def _slices(
    facts: dict[str, Any], fold: FittedFold, names: dict[MeasureSpec, str], positive: Any, blobs: Blobs
) -> dict[str, Any]:
    """Return each measure that is a number for the rows of each value."""
    by, (seen, part, _) = facts["by"], fold
    with blobs.open(_evaluated_rows(facts)) as file:
        column = pq.read_table(file, columns=[by], use_threads=False).column(by).take(part.features.index.to_numpy())
    found, slices = slice_rows(by, column), []
    for value, chosen in found.rows:
        there = seen.of_rows(chosen)
        part_of_it = replace(part.rows(chosen), features=there.features)
        values = {name: _try(spec, there, part_of_it, positive) for spec, name in names.items()}
        numbers = {name: each for name, each in values.items() if not isinstance(each, list)}
        slices.append({"value": value, "rows": len(chosen), "measures": numbers})
    return {
        "column": by,
        "slices": slices,
        "values_left_out": found.values_left_out,
        "rows_left_out": found.rows_left_out,
    }


def _evaluated_rows(facts: dict[str, Any]) -> str:
    """Return the SHA-256 of the data set's version that the evaluated rows are from."""
    held_out = split_request(facts).dataset
    if facts.get("on") is None and held_out is not None and facts.get("folds") is None:
        return held_out.sha256
    return str((facts.get("on") or facts["dataset"])["sha256"])


def _try(spec: MeasureSpec, seen: CachedModel, part: Frame, positive: Any) -> Any:
    try:
        return compute_measure(spec, seen, part, positive)[0]
    except BadInputError:
        return None
