"""One measure of one model on some rows."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from adapters.learning.offers.catalog import MEASURES, find, takes_estimator
from adapters.learning.preparation.frame import BINARY, Frame
from adapters.learning.scoring.cached_model import CachedModel
from domain.errors import BadInputError
from domain.values import MeasureSpec

MOST_WARNINGS, LONGEST_WARNING = 10, 200


def compute_measure(
    spec: MeasureSpec, model: Pipeline | CachedModel, part: Frame, positive: Any
) -> tuple[Any, list[str]]:
    """Compute one measure: a number, a table as nested lists, or None if it is not defined; and what it warned of.

    Raises BadInputError where the model or the rows do not allow it.
    """
    seen = model if isinstance(model, CachedModel) else CachedModel(model, part.features)
    measure = find(MEASURES, spec.name).target()
    chosen = _averaging_options(spec, seen, positive)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            if takes_estimator(measure):
                value = _plain(measure(seen, part.features, part.target, **chosen))
            else:
                value = _plain(measure(part.target, seen.predict(part.features), **chosen))
        except ValueError as error:
            raise BadInputError(f"{spec.identity} cannot be computed here: {error}") from error
    return value, [str(each.message).partition(" Use `zero_division`")[0] for each in heard]


def _averaging_options(spec: MeasureSpec, model: CachedModel, positive: Any) -> dict[str, Any]:
    """Return the keywords of the averaging."""
    if spec.average is None:
        return {}
    if spec.average != "binary":
        return {"average": spec.average}
    if len(model.classes_) != BINARY:
        raise BadInputError(
            f"{spec.identity} is for two classes, and this model has {len(model.classes_)}: "
            "choose the average macro, micro or weighted."
        )
    return {"average": "binary", "pos_label": positive}


def _plain(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        result = result.tolist()
    if isinstance(result, list | tuple):
        return [_plain(item) for item in result]
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    return result if result is None or isinstance(result, int | str) else float(result)


def shorten_warnings(texts: list[str]) -> list[str]:
    """Return the first different warnings, each cut: an event has no room for all."""
    return list(dict.fromkeys(text[:LONGEST_WARNING] for text in texts))[:MOST_WARNINGS]
