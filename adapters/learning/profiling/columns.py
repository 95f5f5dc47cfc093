"""The columns of a stored table for its profile: each different value once, and which of them stands in which row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.learning.preparation.frame import type_word
from adapters.learning.tables.columns import value_type

MOST_ROWS = 1 << 20  # of a longer table every second, third … row is looked at
READ_VALUES = 1 << 20  # at a time
SHOWN_TEXT = 100  # characters
LONG_TEXT = 200  # bytes; longer texts are told apart by a digest
BINS, MOST_FREQUENT = 20, 10
QUARTERS = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Column:
    """`codes` has the place among `values` of each row's value, -1 where it is missing; `counts` how often each is.

    `word` is the type. Values are in the order in which they come first; times are microseconds since 1970.
    """

    name: str
    word: str
    codes: Array
    values: pa.Array
    counts: Array

    @property
    def rows(self) -> int:
        """Return how many rows have a value."""
        return int(self.counts.sum())

    @property
    def missing(self) -> int:
        return len(self.codes) - self.rows

    @property
    def is_number(self) -> bool:
        """Whether the values have an order that means something: numbers and times."""
        return self.word in {"integer", "number", "time"}

    @cached_property
    def numbers(self) -> Array:
        """Return the different numbers, or times."""
        numbers: Array = self.values.to_numpy(zero_copy_only=False)
        return numbers

    @cached_property
    def order(self) -> Array:
        """Return the places of the different numbers, from the least to the greatest."""
        return np.argsort(self.numbers, kind="stable")

    def describe(self) -> dict[str, Any]:
        """Return the facts of a profile's column."""
        facts = {"name": self.name, "type": self.word, "missing": self.missing, "distinct": len(self.values)}
        return facts | (self._statistics() if self.is_number else NO_STATISTICS | {"frequent": self.frequent()})

    def frequent(self, most: int = MOST_FREQUENT) -> list[dict[str, Any]]:
        """Return the most frequent values; of equally frequent ones, those that come first."""
        first = np.argsort(-self.counts, kind="stable")[:most]
        return [{"value": self.show(int(it)), "count": int(self.counts[it])} for it in first]

    def _statistics(self) -> dict[str, Any]:
        if not len(self.values):
            return NO_STATISTICS
        numbers, counts = self.numbers[self.order], self.counts[self.order]
        written = _time if self.word == "time" else _finite
        ends = (numbers[0].item(), numbers[-1].item())
        middle = {name: written(_quantile(numbers, counts, share)) for name, share in QUARTERS.items()}
        scale = max(abs(float(numbers[0])), abs(float(numbers[-1]))) or 1.0  # so that no sum and no square overflows
        scaled = numbers / scale
        mean = np.average(scaled, weights=counts)
        spread = np.sqrt((counts * (scaled - mean) ** 2).sum() / (self.rows - 1)) * scale if self.rows > 1 else None
        return NO_STATISTICS | {
            "least": written(ends[0]),
            **middle,
            "greatest": written(ends[1]),
            "mean": written(float(mean) * scale),
            "spread": None if spread is None else _finite(float(spread) / (1e6 if self.word == "time" else 1)),
            "histogram": _histogram(numbers, scaled, counts),
        }

    def fingerprint(self) -> bytes:
        """Return a digest that another column has, too, if each value here always stands beside the same one there.

        Of columns whose values hardly ever repeat, only if they are the same.
        """
        digest = hashlib.blake2b(self.codes.tobytes(), digest_size=16)
        if 2 * len(self.values) > self.rows:
            values = self.values.cast(pa.float64(), safe=False) if self.is_number else self.values
            digest.update(pa.record_batch([values], [""]).serialize())
        return digest.digest()

    def show(self, place: int) -> Any:
        """Return one of the values as JSON has it."""
        return _time(self.numbers[place].item()) if self.word == "time" else show(self.values[place])


NO_STATISTICS: dict[str, Any] = dict.fromkeys(
    ("least", *QUARTERS, "greatest", "mean", "spread", "histogram", "frequent")
)


def read_columns(path: Path, every: int, names: Sequence[str] | None = None) -> Iterator[Column]:
    """Yield the columns of a stored Parquet file, of each `every`th row; few of them are in memory at a time."""
    schema = pq.read_schema(path)
    schema = schema if names is None else pa.schema([schema.field(name) for name in names])
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    file = pq.ParquetFile(path, pre_buffer=False, read_dictionary=texts)
    together = max(1, READ_VALUES * every // max(file.metadata.num_rows, 1))
    for start in range(0, len(schema), together):
        fields = [schema.field(place) for place in range(start, min(start + together, len(schema)))]
        table = _read(file, [field.name for field in fields], every)
        for field in fields:
            yield _column(field.name, type_word(field.type), table.column(field.name))


def _read(file: pq.ParquetFile, names: Sequence[str], every: int) -> pa.Table:
    parts, rows = [], 0
    for number in range(file.num_row_groups):
        part = _shorten(file.read_row_group(number, list(names), use_threads=False))
        chosen = pa.array(np.arange(-rows % every, part.num_rows, every))
        rows += part.num_rows
        parts.append(part if every == 1 else _plain(part.take(chosen)))
    return pa.concat_tables(parts)


def _plain(table: pa.Table) -> pa.Table:
    """Return it with texts instead of dictionaries, which have the texts of more rows."""
    return pa.table([it.cast(value_type(it.type)) for it in table.columns], names=table.column_names)


def _shorten(table: pa.Table) -> pa.Table:
    """Replace long texts by their beginnings with a digest: what is counted needs no more."""
    for place, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            lengths = [pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks]
            if max(lengths, default=0) > LONG_TEXT:
                chunks = [
                    pa.DictionaryArray.from_arrays(it.indices, pa.array(map(_shortened, it.dictionary.to_pylist())))
                    for it in column.chunks
                ]
                table = table.set_column(place, table.field(place).name, pa.chunked_array(chunks, column.type))
    return table


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_TEXT:
        return text
    return f"{text[:SHOWN_TEXT]}…{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def _column(name: str, word: str, read: pa.ChunkedArray) -> Column:
    if pa.types.is_dictionary(read.type):
        column = read.unify_dictionaries().combine_chunks()
    else:
        numbers = read.cast(pa.int64()) if word == "time" else pc.add(read, 0.0) if word == "number" else read
        column = numbers.combine_chunks().dictionary_encode()  # -0.0 is 0.0 by now
    codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes + 1, minlength=len(column.dictionary) + 1)[1:]
    return Column(name, word, codes, column.dictionary, counts)


def show(value: Any) -> Any:
    """Return a value as JSON has it: a long text cut, a time as ISO 8601."""
    plain = value.value if isinstance(value, pa.TimestampScalar) else value.as_py()
    if isinstance(value, pa.TimestampScalar):
        return None if plain is None else _time(plain)
    return f"{plain[:SHOWN_TEXT]}…" if isinstance(plain, str) and len(plain) > SHOWN_TEXT else plain


def _time(microseconds: float) -> str:
    moment = round(microseconds)
    return str(np.datetime_as_string(np.datetime64(moment, "us"), unit="us" if moment % 10**6 else "s"))


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _quantile(numbers: Array, counts: Array, share: float) -> float:
    """Return a quantile as NumPy and pandas do, linear between the values at its sides."""
    ends = np.cumsum(counts)
    place = share * (int(ends[-1]) - 1)
    sides = np.searchsorted(ends, [int(place), min(int(place) + 1, int(ends[-1]) - 1)], side="right")
    before, after = (float(numbers[it]) for it in sides)
    part = place - int(place)
    return before * (1 - part) + after * part if before != after else before


def _histogram(numbers: Array, scaled: Array, counts: Array) -> list[int] | None:
    """Count values in bins of equal width from the least to the greatest, as NumPy does; None where all are equal."""
    if len(scaled) == 1 or scaled[0] == scaled[-1]:
        return None
    if np.isfinite(float(numbers[-1]) - float(numbers[0])):
        try:
            return [int(it) for it in np.histogram(numbers, BINS, weights=counts)[0]]
        except ValueError:  # the numbers are too near to each other for edges between them
            pass
    places = np.minimum((scaled - scaled[0]) / (scaled[-1] - scaled[0]) * BINS, BINS - 1).astype(int)
    return [int(it) for it in np.bincount(places, weights=counts, minlength=BINS)]
