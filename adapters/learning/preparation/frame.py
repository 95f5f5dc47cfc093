"""A stored data set as scikit-learn fits it: a pandas frame of features, an array of classes, each column's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import BadInputError


@dataclass(frozen=True)
class Frame:
    """Numbers, booleans and times as float64 with NaN, words as objects with None. `types` is of the features."""

    features: pd.DataFrame
    target: np.ndarray[Any, Any]
    types: dict[str, str]

    def rows(self, chosen: np.ndarray[Any, Any]) -> Frame:
        """Return the frame of some rows, by number."""
        return Frame(self.features.iloc[chosen], self.target[chosen], self.types)


def read_frame(file: BinaryIO, target: str) -> Frame:
    """Read a canonical Parquet file; raises BadInputError if it has no such target."""
    table = pq.ParquetFile(file, pre_buffer=False).read(use_threads=False)
    if target not in table.column_names:
        raise BadInputError(f"The data set has no column {target!r}; it has {', '.join(table.column_names)}.")
    names = [name for name in table.column_names if name != target]
    types = {name: type_word(table.schema.field(name).type) for name in names}
    columns = {name: _feature(table.column(name), types[name]) for name in names}
    return Frame(pd.DataFrame(columns), classes_of(table.column(target)), types)


def type_word(kind: pa.DataType) -> str:
    """Name a canonical column type: integer, number, boolean, time or string."""
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "time" if pa.types.is_timestamp(kind) else "string"


def classes_of(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return the target as integers, booleans or strings of fixed width: what skops stores without objects."""
    values = column.to_numpy(zero_copy_only=False)
    labels: np.ndarray[Any, Any] = (
        values.astype(str) if values.dtype == object and type_word(column.type) == "string" else values
    )
    return labels


def class_name(label: Any) -> str:
    """Write a class as people and events see it: `setosa`, `3`, `true`."""
    return str(label).lower() if isinstance(label, bool | np.bool_) else str(label)


def _feature(column: pa.ChunkedArray, word: str) -> Any:
    if word == "string":
        return pd.Series(column.to_pylist(), dtype=object)  # pandas would guess `str`, and NaN for None
    if word in {"boolean", "time"}:
        column = column.cast(pa.int64())
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
