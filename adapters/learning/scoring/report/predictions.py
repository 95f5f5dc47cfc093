"""What a model said about rows whose truth is known, and numbers as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.learning.preparation.frame import class_name

LONGEST_NAME = 80  # characters of a class or column: with it a report of a thousand classes stays below 1 MiB
DIGITS = 6


@dataclass(frozen=True)
class Predictions:
    """A value per row: the truth, what was predicted, and the row's number in the data set's version, from 1.

    `scores` has a column for each of `classes`: probabilities or decision values. Both are None of a regressor, and
    `scores` of a classifier that gives classes only.
    """

    truth: np.ndarray[Any, Any]
    predicted: np.ndarray[Any, Any]
    numbers: np.ndarray[Any, Any]
    classes: np.ndarray[Any, Any] | None = None
    scores: np.ndarray[Any, Any] | None = None
    are_probabilities: bool = False


def to_number(value: float) -> float | None:
    """Return a number with six digits, or None if it is not defined."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def to_numbers(values: Iterable[float]) -> list[float | None]:
    return [to_number(float(value)) for value in values]


def to_name(label: Any) -> str:
    """Write a class, a value or a column, cut if it is long."""
    text = class_name(label)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def count_in_bins(values: np.ndarray[Any, Any], number: int) -> tuple[list[int], np.ndarray[Any, Any]]:
    """Count values in bins of equal width, however narrow: `np.histogram` refuses a range that is too narrow."""
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high, number + 1) if low < high else np.linspace(low - 0.5, high + 0.5, number + 1)
    return np.histogram(values, edges)[0].tolist(), edges
