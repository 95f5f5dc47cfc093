"""The score task: measures of a fitted model, on its held-out part or on a named data set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from adapters.learning.fitting.fit import find_model
from adapters.learning.fitting.model_file import load_model
from adapters.learning.preparation.frame import Frame, class_name, positive_class, read_for_training
from adapters.learning.preparation.other_dataset import read_other_dataset
from adapters.learning.preparation.split import split
from adapters.learning.scoring.cached_model import CachedModel
from adapters.learning.scoring.fitted_folds import FittedFold, Pool, fit_folds, pool
from adapters.learning.scoring.intervals import find_intervals
from adapters.learning.scoring.measure import LONGEST_WARNING, compute_measure, shorten_warnings
from adapters.learning.scoring.report.report import build_report
from adapters.learning.scoring.threshold import apply_threshold, check_probabilities, find_best_threshold
from adapters.learning.store import store_json
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import EvaluationNotes, EvaluationOptions, MeasureSpec

LARGEST_TABLES = 128 << 10  # bytes of JSON in the event, all tables together; what is beyond becomes blobs
REPORTED_NOTES = {"intervals", "resamples", "spread", "threshold", "reasons", "warnings"}

Facts = dict[str, Any]
Names = dict[MeasureSpec, str]  # identities of the values, by their measures


def score(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Compute measures; facts and answer as in docs/architecture.md. A value that cannot be had is None, with a reason.

    Raises BadInputError where not one of them can be computed.
    """
    model = load_model(blobs, facts["model_blob"], find_model(facts))
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
    if options.folds is not None and options.folds.kind == "kfold":
        pooled, folds = Pool(), fit_folds(facts, own, options.folds, finish)
        measures, notes = _measure_folds(names, pooled.watch(folds, options.folds.k), positive)
        fold = pooled.fold
    else:
        if options.folds is not None:
            fold = pool(fit_folds(facts, own, options.folds, finish))
        else:
            classes = getattr(model, "classes_", ())
            part = read_other_dataset(classes, facts, blobs) if on else held_out(own, facts, blobs)
            fold = FittedFold(CachedModel(finish(model), part.features), part, [])
        measures, notes = _measure_fold(names, fold, positive, facts["seed"])
    notes |= {
        "warnings": shorten_warnings(notes["warnings"]),
        "threshold": threshold,
        "positive": None if positive is None else class_name(positive),
        "tables": _store_large(measures, blobs),
    }
    report = build_report(facts, fold, names, positive, blobs)
    plain = {name: value for name, value in measures.items() if not isinstance(value, list)}
    reported = EvaluationNotes.model_validate(notes).model_dump(mode="json", include=REPORTED_NOTES)
    notes["report"] = store_json(blobs, report | {"measures": plain} | reported)
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
    told = [*fold.warnings]
    for spec, name in names.items():
        try:
            measures[name], heard = compute_measure(spec, fold.model, fold.held, positive)
        except BadInputError as error:
            measures[name], heard = None, []
            reasons[name] = error.sentence
            refused.append(error)
        told += [f"{name}: {text}" for text in heard]
        if measures[name] is None and name not in reasons:
            reasons[name] = f"It is not defined on these rows{f': {heard[0]}' if heard else '.'}"[:LONGEST_WARNING]
    if refused and len(refused) == len(measures):
        raise refused[0]
    return measures, reasons, told


def held_out(own: Frame, facts: dict[str, Any], blobs: Blobs) -> Frame:
    """Return the rows that the training did not see: the same split again."""
    return split(own, facts, blobs).held_out(own)


def _store_large(measures: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Move tables that the event has no room for into blobs of JSON; return these by identity."""
    stored, room = {}, LARGEST_TABLES
    for name in [name for name, value in measures.items() if isinstance(value, list)]:
        text = json.dumps(measures[name], separators=(",", ":"))
        if len(text) > room:
            stored[name] = store_json(blobs, measures[name])
            del measures[name]
        else:
            room -= len(text)
    return stored
