"""The trial task: settings of a model, fitted and measured on each fold of the rows that a training learns from."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from adapters.learning.fitting.fit import build_model, find_model, fit_model
from adapters.learning.offers.catalog import MEASURES, find
from adapters.learning.preparation.folds import make_folds
from adapters.learning.preparation.frame import Frame, positive_class, read_for_training, split_request
from adapters.learning.preparation.split import split
from adapters.learning.scoring.measure import compute_measure, shorten_warnings
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import Folds, MeasureSpec

LOSSES = ("_error", "_loss", "_deviance")  # how scikit-learn's naming convention marks what is to be small
SHARED = (
    "dataset",
    "target",
    "learning_task",
    "positive",
    "columns",
    "preparation",
    "seed",
    "test_size",
    "split",
    "folds",
)

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class SearchedRows:
    """What all trials of a search share: the rows that its trainings learn from, and their folds as row numbers."""

    part: Frame
    positive: Any
    folds: list[tuple[Rows, Rows]]


_KEPT: dict[str, SearchedRows] = {}  # of the last search: a task process makes many of its trials


def run_trial(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Fit and measure on each fold; facts and answer as in docs/architecture.md. The held-out part stays unseen."""
    offer, spec, shared = find_model(facts), MeasureSpec(**facts["measure"]), read_searched_rows(facts, blobs)
    begin = time.perf_counter()
    values, told = [], []
    for learned, held in thin_folds(shared, facts["rows"], facts["seed"]):
        part = shared.part.rows(learned)
        model = build_model(offer, facts, part)
        told += fit_model(model, part, offer.name)
        value, heard = compute_measure(spec, model, shared.part.rows(held), shared.positive)
        if isinstance(value, list):
            raise BadInputError(f"{spec.identity} is a table: rank by a measure that is a number.")
        values.append(value)
        told += heard
    return {
        "folds": values,
        **_summarize(values),
        "seconds": round(time.perf_counter() - begin, 6),
        "warnings": shorten_warnings(told),
        "lower_is_better": is_loss(spec.name),
    }


def read_searched_rows(facts: dict[str, Any], blobs: Blobs) -> SearchedRows:
    """Return the rows and folds of a search, from memory where the last call was of the same search."""
    dates = facts["settings"].get("prepare.dates")
    key = json.dumps([dates, *(facts.get(name) for name in SHARED)], sort_keys=True)
    if key not in _KEPT:
        _KEPT.clear()
        with blobs.open(facts["dataset"]["sha256"]) as file:
            frame = read_for_training(file, facts)
        part, method = split(frame, facts, blobs).learned(frame), split_request(facts).method
        folds = make_folds(part.target, Folds(**facts["folds"]), facts["seed"], method, part.split_by)
        positive = positive_class(frame.target, facts.get("positive"))
        _KEPT[key] = SearchedRows(part, positive, folds)
    return _KEPT[key]


def is_loss(measure: str) -> bool:
    """Tell whether the smaller value of a measure is the better one."""
    return str(getattr(find(MEASURES, measure).target(), "__name__", "")).endswith(LOSSES)


def thin_folds(shared: SearchedRows, rows: int | None, seed: int) -> list[tuple[Rows, Rows]]:
    """Return the folds, each part reduced by the same share as all rows, as scikit-learn's halving searches do."""
    if rows is None:
        return shared.folds
    share, target = rows / len(shared.part.target), shared.part.target
    return [(_draw(learned, share, target, seed), _draw(held, share, target, seed)) for learned, held in shared.folds]


def _draw(rows: Rows, share: float, target: Rows, seed: int) -> Rows:
    number = max(1, int(share * len(rows)))
    if number >= len(rows):
        return rows
    try:
        drawn, _ = train_test_split(rows, train_size=number, random_state=seed, stratify=target[rows])
    except ValueError:  # a class has too few rows, or the target is a number
        drawn, _ = train_test_split(rows, train_size=number, random_state=seed)
    return np.sort(drawn)


def _summarize(values: list[Any]) -> dict[str, Any]:
    """Return mean and standard deviation as GridSearchCV has them, or why there are none."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        place = next(place for place, value in enumerate(values, 1) if not isinstance(value, int | float))
        return {"mean": None, "std": None, "reason": f"The measure is not a number in fold {place}."}
    return {"mean": float(np.mean(numbers)), "std": float(np.std(numbers)), "reason": None}
