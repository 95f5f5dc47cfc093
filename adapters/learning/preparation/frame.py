"""A stored data set as scikit-learn fits it: a pandas frame of features, an array of classes, each column's type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import BadInputError

FEWEST_CLASSES, MOST_CLASSES = 2, 1000


@dataclass(frozen=True)
class Frame:
    """Numbers, booleans and times as float64 with NaN, words as objects with None. `types` is of the features."""

    features: pd.DataFrame
    target: np.ndarray[Any, Any]
    types: dict[str, str]

    def rows(self, chosen: np.ndarray[Any, Any]) -> Frame:
        """Return the frame of some rows, by number."""
        return Frame(self.features.iloc[chosen], self.target[chosen], self.types)


def read_frame(file: BinaryIO, target: str, columns: Sequence[str] | None = None) -> Frame:
    """Read a canonical Parquet file: the target, and these columns or all others.

    Raises BadInputError where it has no such columns, or the target is none.
    """
    stored = pq.ParquetFile(file, pre_buffer=False)
    known = stored.schema_arrow.names
    names = list(columns) if columns is not None else [name for name in known if name != target]
    for name in (target, *names):
        if name not in known:
            raise BadInputError(f"The data set has no column {name!r}; it has {', '.join(known)}.")
    table = stored.read([*names, target], use_threads=False)
    types = {name: type_word(table.schema.field(name).type) for name in names}
    features = {name: _feature(table.column(name), types[name]) for name in names}
    return Frame(pd.DataFrame(features), classes_of(target, table.column(target)), types)


def type_word(kind: pa.DataType) -> str:
    """Name a canonical column type: integer, number, boolean, time or string."""
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "time" if pa.types.is_timestamp(kind) else "string"


def classes_of(name: str, column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return the target as integers, booleans or strings of fixed width: what skops stores without objects.

    Ingest has checked a data set's own target; any other column can be one as well, if it holds classes.
    """
    if column.null_count:
        raise BadInputError(f"The target {name!r} has {column.null_count} missing values: remove or fill those rows.")
    word = type_word(column.type)
    if word == "time" or (word == "number" and not pc.all(pc.equal(column, pc.round(column))).as_py()):
        held = "times" if word == "time" else "fractions"
        raise BadInputError(f"The target {name!r} holds {held}: it must hold whole numbers, booleans or words.")
    if len(different := pc.unique(column)) > MOST_CLASSES:
        raise BadInputError(f"The target {name!r} has {len(different)} different values: at most {MOST_CLASSES}.")
    values = (column.cast(pa.int64()) if word == "number" else column).to_numpy(zero_copy_only=False)
    labels: np.ndarray[Any, Any] = values.astype(str) if values.dtype == object and word == "string" else values
    if len(different) < FEWEST_CLASSES:
        raise BadInputError(f"The target {name!r} has one class only: at least two are needed.")
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
