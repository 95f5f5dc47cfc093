"""Columns of texts, looked at batch by batch: how many of all their values are numbers or times, and spelled how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.tables.given import Given
from adapters.learning.tables.spellings import (
    NumberSpelling,
    TimeSpelling,
    TruthSpelling,
    WholeSpelling,
    number_spellings,
    tidy,
    time_spellings,
)

LOOKED_AT, SURVEYED = 50, 1000  # of the first values: which spellings there may be; which of them are tried
LEADING_ZERO = r"^[+-]?0[\dxX]"
DIGITS = r"^[+-]?\d+$"
FRACTION = r"[.,]\d"
Spelling = WholeSpelling | TruthSpelling | NumberSpelling | TimeSpelling
Place = tuple[int, str]  # the number of a row, and the text there


@dataclass
class Try:
    """A spelling, how many values have it, and the first that has not."""

    spelling: Spelling
    count: int = 0
    miss: Place | None = None


class Seen:
    """The different texts of a batch that are not missing, how often each is there, and in which rows."""

    def __init__(self, texts: pa.Array, counts: np.ndarray[Any, Any], indices: pa.Array, start: int) -> None:
        self.present, self.counts = texts.drop_null(), counts
        self._texts, self._indices, self._start = texts, indices, start

    def first(self, rows: int) -> pa.Array:
        """Return the texts of the first rows that have one."""
        return self._texts.take(self._indices).drop_null()[:rows]

    def rows(self, found: pa.Array) -> int:
        """Return how many rows have one of the texts that were found."""
        return int(self.counts[found.to_numpy(zero_copy_only=False)].sum())

    def place(self, found: pa.Array, *, value: bool) -> Place | None:
        """Return the first row of which this was said."""
        first = pc.index(found, value=value).as_py()
        if first < 0:
            return None
        among_all = pc.indices_nonzero(self._texts.is_valid())[first].as_py()
        return self._start + pc.index(self._indices, among_all).as_py(), self.present[first].as_py()


@dataclass
class TextColumn:
    """What is known of a column so far."""

    name: str
    given: Given
    count: int = 0  # values that are not missing
    missing: Counter[str] = field(default_factory=Counter)
    is_clean: bool = True  # no blanks at ends, nothing missing
    digits: int = 0  # how many are whole numbers of any size
    zero: Place | None = None  # the first with a leading zero
    fraction: str = ""  # the first with a mark before a digit
    tries: list[Try] = field(default_factory=list)

    def observe(self, batch: pa.DictionaryArray, missing: pa.Array, start: int) -> None:
        """Look at a batch, whose dictionary has its texts, best once each, in the order in which they come first.

        `missing` are texts, `start` is the number of its first row.
        """
        texts, absent = clean(batch.dictionary, missing)
        self.is_clean &= not texts.null_count and texts.equals(batch.dictionary)
        counts = np.bincount(batch.indices.to_numpy(), minlength=len(texts))
        if texts.null_count:
            is_absent = texts.is_null().to_numpy(zero_copy_only=False)
            for text, count in zip(absent.to_pylist(), counts[is_absent].tolist(), strict=True):
                self.missing[text] += count
            counts = counts[~is_absent]
        if counts.any():
            self._observe(Seen(texts, counts, batch.indices, start))

    def _observe(self, seen: Seen) -> None:
        present = seen.present
        if not self.count:
            self._begin(seen.first(SURVEYED))
        rows = int(seen.counts.sum())
        self.count += rows
        tidied = None
        whole = plain = False
        for one in self.tries:
            spelling = one.spelling
            surely = isinstance(spelling, NumberSpelling) and (whole or (plain and spelling.takes_plain))
            if isinstance(spelling, NumberSpelling) and not surely and not spelling.is_plain:
                tidied = tidy(present) if tidied is None else tidied
                found = spelling.matches(tidied)
            else:
                found = None if surely else spelling.matches(present)
            matched = rows if found is None else seen.rows(found)
            one.count += matched
            if found is not None and matched < rows and one.miss is None:
                one.miss = seen.place(found, value=False)
            whole |= isinstance(spelling, WholeSpelling) and matched == rows
            plain |= isinstance(spelling, NumberSpelling) and spelling.is_plain and matched == rows
        if whole or self.digits + rows == self.count:
            self.digits += rows if whole else seen.rows(pc.match_substring_regex(present, DIGITS))
        numbers = any(isinstance(one.spelling, NumberSpelling) and one.count for one in self.tries)
        if numbers and self.zero is None:
            self.zero = seen.place(pc.match_substring_regex(present, LEADING_ZERO), value=True)
        if numbers and not whole and not self.fraction:
            first = pc.index(pc.match_substring_regex(present, FRACTION), value=True).as_py()
            self.fraction = "" if first < 0 else present[first].as_py()
        self.tries = [one for one in self.tries if 2 * one.count >= self.count] or self.tries[:1]

    def _begin(self, first: pa.Array) -> None:
        """Choose the spellings to try: those that at least half of the first values have."""
        tidied = tidy(first)
        spellings = list(self._spellings(first[:LOOKED_AT].to_pylist()))
        counts = [pc.sum(it.matches(tidied)).as_py() or 0 for it in spellings]
        likely = [it for it, count in zip(spellings, counts, strict=True) if 2 * count >= len(first)]
        self.tries = [Try(it) for it in likely or spellings[:1]]

    def _spellings(self, first: list[str]) -> Iterable[Spelling]:
        given, kind = self.given, self.given.types.get(self.name)
        spelled = given.spellings.get(self.name)
        if spelled is not None:
            number = NumberSpelling.of(spelled)
            return [WholeSpelling(), number or TimeSpelling(spelled)]
        numbers = number_spellings(first, given.decimal, given.thousands)
        return [WholeSpelling(), TruthSpelling(given=kind == "boolean"), *numbers, *time_spellings(first)]

    def shared(self, kind: type[NumberSpelling | TimeSpelling]) -> list[NumberSpelling | TimeSpelling]:
        """Return the spellings of a kind that all values have, most usual first."""
        return [one.spelling for one in self.tries if one.count == self.count and isinstance(one.spelling, kind)]

    def all_are(self, kind: type[WholeSpelling | TruthSpelling]) -> bool:
        """Whether all values are whole numbers of 64 bits, or true or false."""
        return any(one.count == self.count and isinstance(one.spelling, kind) for one in self.tries)

    @property
    def best(self) -> Try | None:
        """Return the spelling that most values have, if most have one; booleans aside."""
        tries = [one for one in self.tries if not isinstance(one.spelling, TruthSpelling)]
        best = max(tries, key=lambda one: one.count, default=None)
        return best if best and 2 * best.count >= self.count > best.count else None


def clean(batch: pa.Array, missing: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return texts without blanks at their ends, null where they are missing; and the missing ones."""
    trimmed = pc.utf8_trim_whitespace(batch)
    absent = pc.is_in(trimmed, missing)
    if not pc.any(absent).as_py():
        return trimmed, trimmed[:0]
    return pc.if_else(absent, pa.scalar(None, pa.string()), trimmed), trimmed.filter(absent)
