"""The held-out part of a training: drawn at random, whole groups, the latest times, or another data set."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from adapters.learning.preparation.frame import FEWEST_CLASSES, Frame, split_request
from adapters.learning.preparation.other_dataset import read_other_dataset
from commands.ports import Blobs
from domain.errors import BadInputError
from domain.values import MAX_SEED

SMALLEST_CLASS = 2

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class SplitRows:
    """Row numbers of both parts, ascending, and the SHA-256 of the held-out ones (as little-endian 64-bit integers).

    `other` is the data set whose rows are held out, where it is not the training's own.
    """

    train: Rows
    test: Rows
    sha256: str
    other: Frame | None = None

    def learned(self, own: Frame) -> Frame:
        """Return the rows to learn from: all of them, without a copy, where another data set is held out."""
        return own.rows(self.train) if self.other is None else own

    def held_out(self, own: Frame) -> Frame:
        """Return the rows that are not learned from."""
        return own.rows(self.test) if self.other is None else self.other


def split(own: Frame, facts: dict[str, Any], blobs: Blobs) -> SplitRows:
    """Split a training's rows as its record says, alike at every call; raises BadInputError if that is impossible."""
    request, test_size, seed = split_request(facts), facts["test_size"], facts["seed"]
    if not 0 < test_size < 1:
        msg = f"test_size is {test_size}: it must be between 0 and 1, the share of the rows that is held out."
        raise BadInputError(msg)
    if not 0 <= seed <= MAX_SEED:
        raise BadInputError(f"The seed is {seed}: it must be between 0 and {MAX_SEED}.")
    if request.dataset is not None:
        other = read_other_dataset(np.unique(own.target), facts | {"on": request.dataset.model_dump()}, blobs)
        return _rows(np.arange(len(own.target)), np.arange(len(other.target)), other)
    if own.split_by is None:
        at_random = _drawn if own.target.dtype.kind == "f" else _stratified
        return _rows(*at_random(own.target, test_size, seed))
    parts = (_by_group if request.method == "group" else _by_time)(own.split_by, test_size, seed)
    if len(np.unique(own.target[parts[0]])) < FEWEST_CLASSES:
        what = "The rows to learn from would have one class or number only"
        raise BadInputError(f"{what}: hold out less (test_size), or split by another column than {request.column!r}.")
    return _rows(*parts)


def unlearned_classes(own: Frame, held: SplitRows) -> list[str]:
    """Return a warning where groups or times are split so that a class is in the held-out part alone."""
    if own.split_by is None or own.target.dtype.kind == "f":
        return []
    strange = np.setdiff1d(own.target[held.test], own.target[held.train])
    return (
        [f"Held-out rows have classes that were not learned: {', '.join(map(str, strange))}."] if len(strange) else []
    )


def _rows(train: Rows, test: Rows, other: Frame | None = None) -> SplitRows:
    train, test = (np.sort(part).astype("<i8") for part in (train, test))
    return SplitRows(train, test, hashlib.sha256(test.tobytes()).hexdigest(), other)


def _drawn(numbers: Rows, test_size: float, seed: int) -> tuple[Rows, Rows]:
    """Hold out a share of the rows, whatever their numbers."""
    held, most = math.ceil(test_size * len(numbers)), len(numbers) - 1
    if held > most:
        msg = f"test_size {test_size} holds out {held} of {len(numbers)} rows: at most {most}, so that one is left."
        raise BadInputError(msg)
    train, test = train_test_split(np.arange(len(numbers)), test_size=test_size, random_state=seed)
    return train, test


def _stratified(target: Rows, test_size: float, seed: int) -> tuple[Rows, Rows]:
    """Hold out a share of each class; a class of one row is only learned from."""
    _, places, counts = np.unique(target, return_inverse=True, return_counts=True)
    alone = counts[places] < SMALLEST_CLASS
    rows = np.flatnonzero(~alone)
    _check_classes(target[rows], test_size)
    train, test = train_test_split(rows, test_size=test_size, random_state=seed, stratify=target[rows])
    return np.concatenate([train, np.flatnonzero(alone)]), test


def _check_classes(target: Rows, test_size: float) -> None:
    if not len(target):
        raise BadInputError("Each class has one row only: at least one needs two, one to learn from and one held out.")
    labels = np.unique(target)
    held = math.ceil(test_size * len(target))
    if not len(labels) <= held <= len(target) - len(labels):
        raise BadInputError(
            f"test_size {test_size} holds out {held} of {len(target)} rows, but there are {len(labels)} classes: "
            f"each part needs at least one row of each, so between {len(labels)} and {len(target) - len(labels)} rows."
        )


def _by_group(groups: Rows, test_size: float, seed: int) -> tuple[Rows, Rows]:
    """Hold out a share of the groups, whole ones."""
    number = len(np.unique(groups))
    if math.ceil(test_size * number) == number:
        msg = (
            f"test_size {test_size} would hold out all {number} groups: at most {(number - 1) / number:.3g} leaves one."
        )
        raise BadInputError(msg)
    drawn = GroupShuffleSplit(n_splits=1, test_size=test_size, random_state=seed).split(groups, groups=groups)
    train, test = next(drawn)
    return train, test


def _by_time(times: Rows, test_size: float, _: int) -> tuple[Rows, Rows]:
    """Hold out the latest rows, about that share of them: rows of one time are on one side."""
    ordered = np.sort(times)
    first = ordered[len(times) - math.ceil(test_size * len(times))]
    late = times >= first if first > ordered[0] else times > first
    return np.flatnonzero(~late), np.flatnonzero(late)
