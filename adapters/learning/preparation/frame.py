"""A stored data set as scikit-learn fits it: a pandas frame of features, an array of classes, each column's type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import BadInputError
from domain.values import SplitRequest

PARTS_OF_TIMES = {"year": "year", "month": "month", "weekday": "day_of_week", "hour": "hour"}  # and as pandas says
LARGEST_EXACT = 2**53
FEWEST_CLASSES, MOST_CLASSES = 2, 1000
FEWEST_VALUES = 2  # of a number to predict, or of what rows are split by
BINARY = 2  # classes, one of which is the positive one
HELD = {"string": "text", "boolean": "booleans", "time": "times"}


@dataclass(frozen=True)
class Frame:
    """Numbers, booleans and times as float64, words as objects, with NaN for what is missing, as pandas reads tables.

    The first rules of preparation have None for a missing word. `types` has the type of each feature. The target has
    classes (integers, booleans or strings), or float64 for a regression. Where the training is split by a column,
    `split_by` has the rank of each row's group or time.
    """

    features: pd.DataFrame
    target: np.ndarray[Any, Any]
    types: dict[str, str]
    split_by: np.ndarray[Any, Any] | None = None

    def names(self, word: str) -> list[str]:
        """List the features of a type."""
        return [name for name, kind in self.types.items() if kind == word]

    def ranges(self) -> dict[str, list[float]]:
        """Return the least and the greatest value of each column but words, as far as it has values."""
        numbers = self.features[[name for name, kind in self.types.items() if kind != "string"]]
        return {str(name): [float(it.min()), float(it.max())] for name, it in numbers.items() if it.notna().any()}

    def rows(self, chosen: np.ndarray[Any, Any]) -> Frame:
        """Return the frame of some rows, by number."""
        split_by = None if self.split_by is None else self.split_by[chosen]
        return Frame(self.features.iloc[chosen], self.target[chosen], self.types, split_by)


def read_for_training(file: BinaryIO, facts: dict[str, Any]) -> Frame:
    """Read what a training's record says from a canonical Parquet file: its target, and its columns or all others."""
    target, request = facts["target"], split_request(facts)
    table = read_table(file, target, facts.get("columns"))
    read = numbers_of if is_regression(facts) else classes_of
    wanted = read(target, table.column(target))
    if is_regression(facts) and len(np.unique(wanted)) < FEWEST_VALUES:
        raise BadInputError(f"The target {target!r} has one value only: at least two different numbers are needed.")
    frame = frame_of(table.drop_columns([target]), wanted, facts)
    if request.column is None:
        return frame
    column = read_table(file, request.column, []).column(0)
    return replace(frame, split_by=_ranks(request.column, column, request.method))


def is_regression(facts: dict[str, Any]) -> bool:
    """Tell whether a training predicts numbers; otherwise it predicts classes."""
    return facts.get("learning_task") == "regression"


def split_request(facts: dict[str, Any]) -> SplitRequest:
    """Return how a training's rows are split; at random where its record says nothing of it."""
    return SplitRequest.model_validate(facts.get("split") or {})


def read_table(file: BinaryIO, target: str, columns: Sequence[str] | None) -> pa.Table:
    """Return these columns, or all others, and the target as the last; raises BadInputError if one is not there."""
    stored = pq.ParquetFile(file, pre_buffer=False)
    known = stored.schema_arrow.names
    names = list(columns) if columns is not None else [name for name in known if name != target]
    for name in (target, *names):
        if name not in known:
            raise BadInputError(f"The data set has no column {name!r}; it has {', '.join(known)}.")
    return stored.read([*names, target], use_threads=False).select([*names, target])


def frame_of(table: pa.Table, labels: np.ndarray[Any, Any], facts: dict[str, Any]) -> Frame:
    """Return the features as scikit-learn takes them, times as the settings ask for.

    Raises BadInputError for whole numbers that a 64-bit float cannot tell apart (the first rules let them pass).
    """
    types = {name: type_word(table.schema.field(name).type) for name in table.column_names}
    is_first = facts.get("preparation", 1) == 1
    if not is_first:
        for name in types:
            _check_exact(name, table.column(name))
    missing = None if is_first else np.nan
    features = {name: _feature(table.column(name), word, missing) for name, word in types.items()}
    frame = Frame(pd.DataFrame(features), labels, types)
    return split_times(frame) if facts["settings"].get("prepare.dates") == "parts" else frame


def positive_class(target: np.ndarray[Any, Any], named: str | None) -> Any:
    """Return the positive one of two classes: the named one, else the rarer, else the last; None of anything else."""
    if target.dtype.kind == "f":
        return None
    labels, counts = np.unique(target, return_counts=True)
    if len(labels) != BINARY:
        return None
    if named is None:
        return labels[0 if counts[0] < counts[1] else 1]
    names = {class_name(label): label for label in labels}
    if named not in names:
        raise BadInputError(f"There is no class {named!r} to be the positive one: it is one of {', '.join(names)}.")
    return names[named]


def split_times(frame: Frame) -> Frame:
    """Return the frame with year, month, weekday (Monday is 0) and hour in place of each time."""
    features: dict[str, Any] = {}
    types: dict[str, str] = {}
    for name, word in frame.types.items():
        if word == "time":
            moments = pd.to_datetime(pd.Series(frame.features[name]).round(), unit="us").dt
            for part, attribute in PARTS_OF_TIMES.items():
                own = _unused(f"{name} {part}", {*frame.types, *types})
                features[own], types[own] = getattr(moments, attribute).astype(float).to_numpy(), "number"
        else:
            features[name], types[name] = frame.features[name], word
    return Frame(pd.DataFrame(features), frame.target, types)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    return name


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
    _check_complete(name, column)
    word = type_word(column.type)
    if word == "time" or (word == "number" and not pc.all(pc.equal(column, pc.round(column))).as_py()):
        held = "times" if word == "time" else "fractions"
        other = "" if word == "time" else ", or the model must be a regressor"
        raise BadInputError(f"The target {name!r} holds {held}: it must hold whole numbers, booleans or words{other}.")
    if len(different := pc.unique(column)) > MOST_CLASSES:
        raise BadInputError(f"The target {name!r} has {len(different)} different values: at most {MOST_CLASSES}.")
    values = (column.cast(pa.int64()) if word == "number" else column).to_numpy(zero_copy_only=False)
    labels: np.ndarray[Any, Any] = values.astype(str) if values.dtype == object and word == "string" else values
    if len(different) < FEWEST_CLASSES:
        raise BadInputError(f"The target {name!r} has one class only: at least two are needed.")
    return labels


def numbers_of(name: str, column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return the target of a regression."""
    _check_complete(name, column)
    word = type_word(column.type)
    if word not in {"integer", "number"}:
        raise BadInputError(f"The target {name!r} holds {HELD[word]}: a regression needs numbers.")
    numbers: np.ndarray[Any, Any] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _check_complete(name: str, column: pa.ChunkedArray) -> None:
    if column.null_count:
        raise BadInputError(
            f"The target {name!r} has {column.null_count} missing values: add the data set with --target {name!r} "
            "--drop-missing-target, which leaves those rows out."
        )


def class_name(label: Any) -> str:
    """Write a class as people and events see it: `setosa`, `3`, `true`."""
    return str(label).lower() if isinstance(label, bool | np.bool_) else str(label)


def _ranks(name: str, column: pa.ChunkedArray, method: str) -> np.ndarray[Any, Any]:
    """Return the rank of each row's group or time among all that there are."""
    word = type_word(column.type)
    if method == "time" and word in {"boolean", "string"}:
        raise BadInputError(f"Column {name!r} is {word}: a split by time needs a column of times or numbers.")
    if column.null_count:
        missing = f"{column.null_count} missing values"
        raise BadInputError(f"Column {name!r} has {missing}: a split by {method} needs a value in each row.")
    values, ranks = np.unique(column.to_numpy(zero_copy_only=False), return_inverse=True)
    if len(values) < FEWEST_VALUES:
        raise BadInputError(f"Column {name!r} has one value only: a split by {method} needs at least two.")
    return ranks


def _check_exact(name: str, column: pa.ChunkedArray) -> None:
    whole = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    if not pa.types.is_integer(whole.type) or (pc.max(pc.abs(whole)).as_py() or 0) <= LARGEST_EXACT:
        return
    different = pc.unique(whole.drop_null())
    if len(pc.unique(different.cast(pa.float64(), safe=False))) < len(different):
        raise BadInputError(
            f"Column {name!r} has whole numbers beyond 2^53, and some would become the same number: "
            f"leave it out (--drop), or add the data set with --type '{name}=text'."
        )


def _feature(column: pa.ChunkedArray, word: str, missing: float | None) -> Any:
    if word == "string":
        known = column.combine_chunks().dictionary_encode()  # each word once in memory, however often it stands there
        texts = np.array([*known.dictionary.to_pylist(), missing], dtype=object)
        places = pc.fill_null(known.indices, len(texts) - 1).to_numpy(zero_copy_only=False)
        return pd.Series(texts[places], dtype=object)  # pandas would guess `str`
    if word in {"boolean", "time"}:
        column = column.cast(pa.int64())
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
