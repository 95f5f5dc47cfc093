"""The folds of a cross-validation, by scikit-learn's own splitters: at random, by groups, in the order of times."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from adapters.learning.preparation.frame import class_name
from domain.errors import BadInputError
from domain.values import MAX_SEED, Folds

Rows = np.ndarray[Any, Any]


def make_folds(
    target: Rows, folds: Folds, seed: int, method: str = "random", split_by: Rows | None = None
) -> list[tuple[Rows, Rows]]:
    """Return the row numbers to learn from and those held out, of each fold: as the training's own split is made.

    The seed draws random folds, stratified by class; each group of `split_by` is in one fold; folds in time order learn
    from what was before. Raises BadInputError for a fold without a class, too few rows, and what cannot be repeated.
    """
    folds.check_split(method)
    is_numbers = target.dtype.kind == "f"
    if split_by is None:
        made = _random(target, folds, seed, is_numbers=is_numbers)
    else:
        made = _grouped(target, split_by, folds, seed) if method == "group" else _in_order(split_by, folds)
    if not is_numbers and folds.kind != "loo":
        _check_folds(target, made)
    return made


def _random(target: Rows, folds: Folds, seed: int, *, is_numbers: bool) -> list[tuple[Rows, Rows]]:
    if not is_numbers:
        labels, counts = np.unique(target, return_counts=True)
        folds.check_classes(dict(zip(map(class_name, labels), counts.tolist(), strict=True)))
    if folds.kind == "loo":
        return list(LeaveOneOut().split(target))
    k, repeats = folds.k or 0, folds.repeats
    if k > len(target):
        raise BadInputError(f"{k} folds are more than the {len(target)} rows: at most {len(target)} folds.")
    if repeats > 1:
        repeated = RepeatedKFold if is_numbers else RepeatedStratifiedKFold
        return list(repeated(n_splits=k, n_repeats=repeats, random_state=seed).split(target, target))
    plain = KFold if is_numbers else StratifiedKFold
    return list(plain(k, shuffle=True, random_state=seed).split(target, target))


def _grouped(target: Rows, groups: Rows, folds: Folds, seed: int) -> list[tuple[Rows, Rows]]:
    """Repeat by the seeds that follow; scikit-learn has no repeated splitter of groups."""
    k, number = folds.k or 0, len(np.unique(groups))
    if k > number:
        raise BadInputError(f"{k} folds are more than the {number} groups of the training's split: at most {number}.")
    splitter = GroupKFold if target.dtype.kind == "f" else StratifiedGroupKFold
    seeds = [(seed + number) % (MAX_SEED + 1) for number in range(folds.repeats)]
    return [
        fold
        for each in seeds
        for fold in splitter(k, shuffle=True, random_state=each).split(target, target, groups=groups)
    ]


def _in_order(times: Rows, folds: Folds) -> list[tuple[Rows, Rows]]:
    k, different = folds.k or 0, np.unique(times)  # rows of one time are on one side
    if k >= len(different):
        msg = f"{k} folds in the order of times need more than {k} different times, and there are {len(different)}."
        raise BadInputError(msg)
    made = TimeSeriesSplit(k).split(different)
    return [(_rows_of(times, different[learned]), _rows_of(times, different[held])) for learned, held in made]


def _rows_of(times: Rows, chosen: Rows) -> Rows:
    return np.flatnonzero(np.isin(times, chosen))


def _check_folds(target: Rows, made: list[tuple[Rows, Rows]]) -> None:
    labels = np.unique(target)
    for number, fold in enumerate(made, 1):
        for rows, what in zip(fold, ("learns from", "holds out"), strict=True):
            missing = np.setdiff1d(labels, target[rows])
            if len(missing):
                raise BadInputError(
                    f"Fold {number} of {len(made)} {what} no row of class {class_name(missing[0])!r}: "
                    "take fewer folds, or a data set with more rows of it."
                )
