"""The score task: measures of a fitted model, on its held-out part or on a named data set."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from adapters.learning.fitting.model_file import load_model
from adapters.learning.offers.catalog import MEASURES, MODELS, find, takes_estimator
from adapters.learning.preparation.frame import Frame, class_name, read_for_training
from adapters.learning.preparation.split import split
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import MeasureSpec

BINARY = 2


def score(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Compute measures; facts and answer as in docs/architecture.md. NaN is null."""
    model = load_model(blobs, facts["model_blob"], find(MODELS, facts["model"]["name"], facts["model"]["distribution"]))
    on = facts.get("on")
    part = _read_other_dataset(model, facts, on, blobs) if on else read_held_out(facts, blobs)
    suffix = f"@{on['name']}" if on else ""
    specs = [MeasureSpec(**each) for each in facts["measures"]]
    return {"measures": {f"{spec.identity}{suffix}": compute_measure(spec, model, part) for spec in specs}}


def read_held_out(facts: dict[str, Any], blobs: Blobs) -> Frame:
    """Return the rows that the training did not see: the same split again."""
    with blobs.open(facts["dataset"]["sha256"]) as file:
        frame = read_for_training(file, facts)
    return frame.rows(split(frame.target, facts["test_size"], facts["seed"]).test)


def compute_measure(spec: MeasureSpec, model: Pipeline, part: Frame) -> Any:
    """Compute one measure: a number, a table as nested lists, or None if it is not defined."""
    measure = find(MEASURES, spec.name).target()
    chosen = _averaging_options(spec, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "not defined, set to 0" and the like: the value itself says it
        try:
            if takes_estimator(measure):
                return _plain(measure(model, part.features, part.target, **chosen))
            return _plain(measure(part.target, model.predict(part.features), **chosen))
        except ValueError as error:
            raise BadInputError(f"{spec.identity} cannot be computed here: {error}") from error


def _averaging_options(spec: MeasureSpec, model: Pipeline) -> dict[str, Any]:
    """Return the keywords of the averaging; for `binary`, the positive class is the last in order."""
    if spec.average is None:
        return {}
    if spec.average != "binary":
        return {"average": spec.average}
    if len(model.classes_) != BINARY:
        raise BadInputError(
            f"{spec.identity} is for two classes, and this model has {len(model.classes_)}: "
            "choose the average macro, micro or weighted."
        )
    return {"average": "binary", "pos_label": model.classes_[1]}


def _read_other_dataset(model: Pipeline, facts: dict[str, Any], on: dict[str, Any], blobs: Blobs) -> Frame:
    """Read another data set and check that its columns and classes match the training's."""
    with blobs.open(facts["dataset"]["sha256"]) as file:
        known = read_for_training(file, facts)
    with blobs.open(on["sha256"]) as file:
        other = read_for_training(file, facts)
    name = on["name"]
    missing = [column for column in known.types if column not in other.types]
    if missing:
        raise BadInputError(f"Data set {name!r} lacks columns that the model was trained on: {', '.join(missing)}.")
    for column, word in known.types.items():
        if (word == "string") != (other.types[column] == "string"):
            msg = f"Column {column!r} of data set {name!r} is {other.types[column]}; the model was trained on {word}."
            raise BadInputError(msg)
    strange = sorted(set(_names(other.target)) - set(_names(model.classes_)))
    if strange or other.target.dtype.kind != known.target.dtype.kind:
        raise BadInputError(
            f"Data set {name!r} has classes that the model does not know: {', '.join(strange[:5])}. "
            f"It knows {', '.join(_names(model.classes_)[:20])}."
        )
    return Frame(other.features[list(known.types)], other.target, known.types)


def _names(labels: Any) -> list[str]:
    return [class_name(label) for label in np.unique(labels)]


def _plain(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        result = result.tolist()
    if isinstance(result, list | tuple):
        return [_plain(item) for item in result]
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    return result if result is None or isinstance(result, int | str) else float(result)
