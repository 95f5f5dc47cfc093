"""Columns of texts, looked at batch by batch: how many of all their values are numbers or times, and spelled how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

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

    def observe(self, batch: pa.Array, missing: pa.Array, start: int) -> pa.Array:
        """Look at a batch; `missing` are texts, `start` is the number of its first row. Return it as `clean` does."""
        texts, absent = clean(batch, missing)
        self.is_clean &= not texts.null_count and texts.equals(batch)
        if texts.null_count:
            counted = pc.value_counts(absent)
            self.missing.update({it["values"]: it["counts"] for it in counted.to_pylist()})
        present = texts.drop_null()
        if len(present):
            self._observe(present, texts, start)
        return texts

    def _observe(self, present: pa.Array, texts: pa.Array, start: int) -> None:
        if not self.count:
            self._begin(present[:SURVEYED])
        self.count += len(present)
        tidied = None

        def place(of: int) -> Place:
            return start + pc.indices_nonzero(texts.is_valid())[of].as_py(), present[of].as_py()

        whole = plain = False
        for one in self.tries:
            spelling = one.spelling
            surely = isinstance(spelling, NumberSpelling) and (whole or (plain and spelling.takes_plain))
            if isinstance(spelling, NumberSpelling) and not surely and not spelling.is_plain:
                tidied = tidy(present) if tidied is None else tidied
                found = spelling.matches(tidied)
            else:
                found = None if surely else spelling.matches(present)
            matched = len(present) if found is None else int(pc.sum(found).as_py() or 0)
            one.count += matched
            if found is not None and matched < len(present) and one.miss is None:
                one.miss = place(pc.index(found, value=False).as_py())
            whole |= isinstance(spelling, WholeSpelling) and matched == len(present)
            plain |= isinstance(spelling, NumberSpelling) and spelling.is_plain and matched == len(present)
        if whole or self.digits + len(present) == self.count:
            self.digits += len(present) if whole else int(pc.sum(pc.match_substring_regex(present, DIGITS)).as_py())
        numbers = any(isinstance(one.spelling, NumberSpelling) and one.count for one in self.tries)
        if numbers and self.zero is None:
            first = pc.index(pc.match_substring_regex(present, LEADING_ZERO), value=True).as_py()
            self.zero = None if first < 0 else place(first)
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
