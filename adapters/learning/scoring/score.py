"""The score task: measures of a fitted model, on its held-out part or on a named data set."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from adapters.learning.fitting.model_file import load_model
from adapters.learning.offers.catalog import MEASURES, MODELS, find, takes_estimator
from adapters.learning.preparation.frame import Frame, class_name, positive_class, read_for_training
from adapters.learning.preparation.other_dataset import read_other_dataset
from adapters.learning.preparation.split import split
from adapters.learning.scoring.cached_model import CachedModel
from adapters.learning.scoring.intervals import find_intervals
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import MeasureSpec

BINARY = 2
LARGEST_TABLES = 128 << 10  # bytes of JSON in the event, all tables together; what is beyond becomes blobs
MOST_WARNINGS, LONGEST_WARNING = 10, 200


def score(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Compute measures; facts and answer as in docs/architecture.md. A value that cannot be had is None, with a reason.

    Raises BadInputError where not one of them can be computed.
    """
    model = load_model(blobs, facts["model_blob"], find(MODELS, facts["model"]["name"], facts["model"]["distribution"]))
    with blobs.open(facts["dataset"]["sha256"]) as file:
        own = read_for_training(file, facts)
    on = facts.get("on")
    part = read_other_dataset(model.classes_, facts, blobs) if on else held_out(own, facts, blobs)
    positive = positive_class(own.target, facts.get("positive"))
    seen, specs = CachedModel(model, part.features), [MeasureSpec(**each) for each in facts["measures"]]
    names = {spec: f"{spec.identity}@{on['name']}" if on else spec.identity for spec in specs}
    measures, reasons, told, refused = {}, {}, [], []
    for spec, name in names.items():
        try:
            measures[name], heard = compute_measure(spec, seen, part, positive)
        except BadInputError as error:
            measures[name], heard = None, []
            reasons[name] = error.sentence
            refused.append(error)
        told += [f"{name}: {text}"[:LONGEST_WARNING] for text in heard]
        if measures[name] is None and name not in reasons:
            reasons[name] = f"It is not defined on these rows{f': {heard[0]}' if heard else '.'}"[:LONGEST_WARNING]
    if refused and len(refused) == len(measures):
        raise refused[0]
    numbers = [spec for spec, name in names.items() if isinstance(measures[name], int | float)]
    intervals, resamples = find_intervals(numbers, seen, part, positive, facts["seed"])
    binary = any(spec["average"] == "binary" for spec in facts["measures"] if spec.get("average"))
    notes = {
        "intervals": {names[spec]: intervals[spec.identity] for spec in numbers if spec.identity in intervals},
        "resamples": resamples,
        "reasons": reasons,
        "warnings": list(dict.fromkeys(told))[:MOST_WARNINGS],
        "positive": class_name(positive) if binary and positive is not None else None,
        "tables": _store_large(measures, blobs),
    }
    return {"measures": measures, "notes": notes}


def held_out(own: Frame, facts: dict[str, Any], blobs: Blobs) -> Frame:
    """Return the rows that the training did not see: the same split again."""
    return split(own, facts, blobs).held_out(own)


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


def _store_large(measures: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Move tables that the event has no room for into blobs of JSON; return these by identity."""
    stored, room = {}, LARGEST_TABLES
    for name in [name for name, value in measures.items() if isinstance(value, list)]:
        text = json.dumps(measures[name], separators=(",", ":"))
        if len(text) > room:
            path = Path(blobs.scratch(".json"))
            path.write_text(text)
            stored[name] = blobs.put_file(str(path)).model_dump()
            del measures[name]
        else:
            room -= len(text)
    return stored


def _plain(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        result = result.tolist()
    if isinstance(result, list | tuple):
        return [_plain(item) for item in result]
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    return result if result is None or isinstance(result, int | str) else float(result)
