"""Axes of plots: which values they span, where a value stands, and at which round numbers they have ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

Number = int | float

MOST_TICKS = 6
ROUND = (1, 2, 5, 10)
LOGARITHMIC_FROM = 1000  # times the least value: then most values would lie at one end
MOST_WORDS = 20  # with a tick each; of more, some have none
ROUNDING = 1e-9


def is_number(value: Any) -> TypeGuard[Number]:
    """Tell whether a value has a place on an axis: finite, and neither true nor false."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from low to high, and between which pixels they are drawn. With words, a value is the number of a word."""

    label: str
    low: Number
    high: Number
    first: float
    last: float
    is_logarithmic: bool = False
    words: Sequence[str] = ()

    def place(self, value: Number) -> float:
        """Return the pixel of a number."""
        low, high, at = (math.log10(it) if self.is_logarithmic else it for it in (self.low, self.high, value))
        return round(self.first + (at - low) / ((high - low) or 1.0) * (self.last - self.first), 1)

    def place_of(self, value: Any) -> float | None:
        """Return the pixel of any value that the axis was made for; None for one that has no place."""
        if self.words:
            return self.place(self.words.index(word_of(value))) if word_of(value) in self.words else None
        return self.place(value) if is_number(value) else None

    @property
    def ticks(self) -> list[Number]:
        if self.words:
            return list(range(0, len(self.words), math.ceil(len(self.words) / MOST_WORDS)))
        if self.is_logarithmic:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**power for power in powers][:: math.ceil(len(powers) / MOST_TICKS)]
        return _round_ticks(self.low, self.high)

    def tick_text(self, tick: Number) -> str:
        return self.words[int(tick)] if self.words else f"{tick:.6g}"


def axis_of(label: str, values: Iterable[Any], first: float, last: float) -> Axis:
    """Return the axis that spans these values: numbers, or else their words in order."""
    given = [value for value in values if value is not None]
    numbers = [value for value in given if is_number(value)]
    if len(numbers) < len(given):
        words = sorted({word_of(value) for value in given})
        return Axis(label, 0, max(len(words) - 1, 1), first, last, words=words)
    low, high = min(numbers, default=0), max(numbers, default=1)
    if low == high:  # one value stands in the middle
        apart = abs(low) / 2 or 0.5
        return Axis(label, low - apart, high + apart, first, last)
    return Axis(label, low, high, first, last, is_logarithmic=low > 0 and high / low >= LOGARITHMIC_FROM)


def word_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _round_ticks(low: Number, high: Number) -> list[Number]:
    """Return multiples of 1, 2 or 5 times a power of ten."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / MOST_TICKS)) if span > 0 else 1.0
    step = next(it * power for it in ROUND if span / (it * power) <= MOST_TICKS)
    first, last = math.ceil(low / step - ROUNDING), math.floor(high / step + ROUNDING)
    return [round(it * step, 12) if abs(step) > ROUNDING else it * step for it in range(first, last + 1)]
