"""The rows of each value of a column: what a measure says of all of them may hide what it says of some."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from adapters.learning.preparation.frame import type_word
from adapters.learning.scoring.report.predictions import to_name
from domain.errors import BadInputError

MOST_SLICES = 50
MOST_VALUES = 1000
ORDERED = frozenset({"integer", "number", "time"})
QUARTERS = 4


class Slices(NamedTuple):
    """Rows by value (None: the value is missing); and how many values and rows were left out as the rarest."""

    rows: list[tuple[str | None, np.ndarray[Any, Any]]]
    values_left_out: int
    rows_left_out: int


def slice_rows(name: str, column: pa.ChunkedArray) -> Slices:
    """Slice rows by a column's values: the most frequent ones; numbers and times with many values by their quartiles.

    Raises BadInputError where words have too many values.
    """
    values = column.to_pandas(integer_object_nulls=True)
    is_cut = type_word(column.type) in ORDERED and values.nunique() > MOST_SLICES
    places, found = _cut(column.to_pandas()) if is_cut else pd.factorize(values, sort=True)
    if len(found) > MOST_VALUES:
        raise BadInputError(
            f"Column {name!r} has {len(found)} different values in these rows: slices need a column with at most "
            f"{MOST_VALUES}, or one of numbers or times, which is cut into quarters."
        )
    counts = np.bincount(places[places >= 0], minlength=len(found))
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_SLICES])
    rows: list[tuple[str | None, np.ndarray[Any, Any]]]
    rows = [(to_name(found[place]), np.flatnonzero(places == place)) for place in chosen]
    if (places < 0).any():
        rows.append((None, np.flatnonzero(places < 0)))
    return Slices(rows, len(found) - len(chosen), int(counts.sum() - counts[chosen].sum()))


def _cut(values: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return the place of each value's quarter (-1: missing), and the quarters' names."""
    quarters, ends = pd.qcut(values, QUARTERS, labels=False, duplicates="drop", retbins=True)
    names = [f"{_write(low)} to {_write(high)}" for low, high in pairwise(ends)]
    return quarters.fillna(-1).astype(int).to_numpy(), names


def _write(end: Any) -> str:
    return f"{end:.6g}" if isinstance(end, float) else str(end)
