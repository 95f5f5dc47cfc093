"""The held-out split: stratified by class, decided by the seed alone; a class of one row is only learned from."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from domain.errors import BadInputError
from domain.values import MAX_SEED

SMALLEST_CLASS = 2


@dataclass(frozen=True)
class SplitRows:
    """Row numbers of both parts, ascending, and the SHA-256 of the held-out ones (as little-endian 64-bit integers)."""

    train: np.ndarray[Any, Any]
    test: np.ndarray[Any, Any]
    sha256: str


def split(target: np.ndarray[Any, Any], test_size: float, seed: int) -> SplitRows:
    """Hold out `test_size` of the rows, each class in proportion; raises BadInputError if that is impossible."""
    _, places, counts = np.unique(target, return_inverse=True, return_counts=True)
    alone = counts[places] < SMALLEST_CLASS
    rows = np.flatnonzero(~alone)
    _check(target[rows], test_size, seed)
    train, test = train_test_split(rows, test_size=test_size, random_state=seed, stratify=target[rows])
    train, test = (np.sort(part).astype("<i8") for part in ([*train, *np.flatnonzero(alone)], test))
    return SplitRows(train, test, hashlib.sha256(test.tobytes()).hexdigest())


def _check(target: np.ndarray[Any, Any], test_size: float, seed: int) -> None:
    if not 0 < test_size < 1:
        msg = f"test_size is {test_size}: it must be between 0 and 1, the share of the rows that is held out."
        raise BadInputError(msg)
    if not 0 <= seed <= MAX_SEED:
        raise BadInputError(f"The seed is {seed}: it must be between 0 and {MAX_SEED}.")
    if not len(target):
        raise BadInputError("Each class has one row only: at least one needs two, one to learn from and one held out.")
    labels = np.unique(target)
    held = math.ceil(test_size * len(target))
    if not len(labels) <= held <= len(target) - len(labels):
        raise BadInputError(
            f"test_size {test_size} holds out {held} of {len(target)} rows, but there are {len(labels)} classes: "
            f"each part needs at least one row of each, so between {len(labels)} and {len(target) - len(labels)} rows."
        )
