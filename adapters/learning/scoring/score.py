"""The score task: measures of a fitted model, on its held-out part or on a named data set."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable
from functools import partial
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
from adapters.learning.scoring.folds import FittedFold, Pool, fit_folds, pool
from adapters.learning.scoring.intervals import find_intervals
from adapters.learning.scoring.report.report import build_report
from adapters.learning.scoring.threshold import apply_threshold, check_probabilities, find_best_threshold
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import EvaluationOptions, MeasureSpec

BINARY = 2
LARGEST_TABLES = 128 << 10  # bytes of JSON in the event, all tables together; what is beyond becomes blobs
TOLD: dict[str, Any] = {"intervals": {}, "resamples": 0, "spread": {}, "threshold": None, "reasons": {}, "warnings": []}
MOST_WARNINGS, LONGEST_WARNING = 10, 200

Facts = dict[str, Any]
Names = dict[MeasureSpec, str]  # identities of the values, by their measures


def score(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Compute measures; facts and answer as in docs/architecture.md. A value that cannot be had is None, with a reason.

    Raises BadInputError where not one of them can be computed.
    """
    model = load_model(blobs, facts["model_blob"], find(MODELS, facts["model"]["name"], facts["model"]["distribution"]))
    with blobs.open(facts["dataset"]["sha256"]) as file:
        own = read_for_training(file, facts)
    options = EvaluationOptions(folds=facts.get("folds"), threshold=facts.get("threshold"))
    positive, on = positive_class(own.target, facts.get("positive")), facts.get("on")
    suffix = options.suffix + (f"@{on['name']}" if on else "")
    names = {spec: f"{spec.identity}{suffix}" for spec in (MeasureSpec(**each) for each in facts["measures"])}
    threshold = options.threshold
    if threshold is not None:
        check_probabilities(model)
    if threshold == "best:f1":
        threshold = find_best_threshold(facts, split(own, facts, blobs).learned(own), positive)
    finish = partial(apply_threshold, threshold=threshold, positive=positive)
    if options.folds is None:
        part = read_other_dataset(getattr(model, "classes_", ()), facts, blobs) if on else held_out(own, facts, blobs)
        fold = FittedFold(CachedModel(finish(model), part.features), part, [])
        measures, notes = _measure_fold(names, fold, positive, facts["seed"])
    elif options.folds.kind == "loo":
        fold = pool(fit_folds(facts, own, options.folds, finish))
        measures, notes = _measure_fold(names, fold, positive, facts["seed"])
    else:
        pooled, folds = Pool(), fit_folds(facts, own, options.folds, finish)
        measures, notes = _measure_folds(names, pooled.watch(folds, options.folds.k), positive)
        fold = pooled.fold
    notes |= {
        "warnings": list(dict.fromkeys(notes["warnings"]))[:MOST_WARNINGS],
        "threshold": threshold,
        "positive": None if positive is None else class_name(positive),
        "tables": _store_large(measures, blobs),
    }
    measure = partial(compute_measure, positive=positive)
    report = build_report(facts, fold, names, positive, blobs=blobs, measure=measure)
    plain = {name: value for name, value in measures.items() if not isinstance(value, list)}
    told = {key: notes.get(key, nothing) for key, nothing in TOLD.items()}
    notes["report"] = _store_json(report | {"measures": plain} | told, blobs)
    return {"measures": measures, "notes": notes}


def _measure_fold(names: Names, fold: FittedFold, positive: Any, seed: int) -> tuple[Facts, Facts]:
    """Compute the measures of rows that a model did not see, with their intervals."""
    measures, reasons, told = _compute_measures(names, fold, positive)
    numbers = [spec for spec, name in names.items() if isinstance(measures[name], int | float)]
    intervals, resamples = find_intervals(numbers, fold.model, fold.held, positive, seed)
    found = {names[spec]: intervals[spec.identity] for spec in numbers if spec.identity in intervals}
    return measures, {"intervals": found, "resamples": resamples, "reasons": reasons, "warnings": told}


def _measure_folds(names: Names, folds: Iterable[FittedFold], positive: Any) -> tuple[Facts, Facts]:
    """Compute the measures of each fold: of numbers the mean, of tables of counts the sum."""
    found = [_compute_measures(names, fold, positive) for fold in folds]
    measures: Facts = {}
    notes: Facts = {"spread": {}, "folds": {}, "reasons": {}, "warnings": [text for *_, told in found for text in told]}
    for name in names.values():
        values = [measured[name] for measured, *_ in found]
        missing = next((place for place, value in enumerate(values) if value is None), None)
        if missing is not None:
            measures[name] = None
            notes["reasons"][name] = f"Fold {missing + 1} of {len(found)}: {found[missing][1][name]}"
        elif isinstance(values[0], list):
            measures[name] = np.sum(values, axis=0).tolist()
        else:
            measures[name], notes["spread"][name] = float(np.mean(values)), float(np.std(values))
            notes["folds"][name] = values
    return measures, notes


def _compute_measures(names: Names, fold: FittedFold, positive: Any) -> tuple[Facts, dict[str, str], list[str]]:
    """Return values, the reasons of those that are None, and warnings; raises BadInputError if none can be computed."""
    measures, reasons, refused = {}, {}, []
    told = [text[:LONGEST_WARNING] for text in fold.warnings]
    for spec, name in names.items():
        try:
            measures[name], heard = compute_measure(spec, fold.model, fold.held, positive)
        except BadInputError as error:
            measures[name], heard = None, []
            reasons[name] = error.sentence
            refused.append(error)
        told += [f"{name}: {text}"[:LONGEST_WARNING] for text in heard]
        if measures[name] is None and name not in reasons:
            reasons[name] = f"It is not defined on these rows{f': {heard[0]}' if heard else '.'}"[:LONGEST_WARNING]
    if refused and len(refused) == len(measures):
        raise refused[0]
    return measures, reasons, told


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
            stored[name] = _store_json(measures[name], blobs)
            del measures[name]
        else:
            room -= len(text)
    return stored


def _store_json(value: Any, blobs: Blobs) -> dict[str, Any]:
    path = Path(blobs.scratch(".json"))
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")), encoding="utf-8")
    return blobs.put_file(str(path)).model_dump()


def _plain(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        result = result.tolist()
    if isinstance(result, list | tuple):
        return [_plain(item) for item in result]
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    return result if result is None or isinstance(result, int | str) else float(result)
