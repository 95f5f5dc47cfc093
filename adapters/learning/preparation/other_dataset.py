"""Another data set for a trained model: read with the types of the training, its classes compared by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.learning.preparation.frame import (
    Frame,
    class_name,
    frame_of,
    is_regression,
    numbers_of,
    read_table,
    type_word,
)
from commands.ports import Blobs
from domain.errors import BadInputError


def read_other_dataset(classes: Any, facts: dict[str, Any], blobs: Blobs) -> Frame:
    """Return its rows as the training would have read them; raises BadInputError where that is impossible.

    `classes` are those of the model; a regression has none.
    """
    target, name = facts["target"], facts["on"]["name"]
    with blobs.open(facts["dataset"]["sha256"]) as file:
        schema = pq.read_schema(file)
    wanted = facts.get("columns") or [column for column in schema.names if column != target]
    with blobs.open(facts["on"]["sha256"]) as file:
        known = pq.read_schema(file).names
        missing = [column for column in (*wanted, target) if column not in known]
        if missing:
            msg = f"Data set {name!r} lacks columns that the model was trained on: {', '.join(missing[:10])}."
            raise BadInputError(msg)
        file.seek(0)
        table = read_table(file, target, wanted)
    for column in wanted:
        place, kind = table.column_names.index(column), schema.field(column).type
        table = table.set_column(place, column, _cast(table.column(column), kind, column, name))
    column = table.column(target)
    wanted = numbers_of(target, column) if is_regression(facts) else _labels(column, classes, target, name)
    return frame_of(table.drop_columns([target]), wanted, facts)


def _cast(column: pa.ChunkedArray, kind: pa.DataType, column_name: str, name: str) -> pa.ChunkedArray:
    """Return a column in the type of the training; a number stays one, whole or not."""
    was, now = type_word(kind), type_word(column.type)
    if was == now or {was, now} <= {"integer", "number", "boolean"}:
        return column
    found = _as_text(column) if was == "string" else _as_number(column) if was in {"integer", "number"} else None
    if found is None:
        msg = f"Column {column_name!r} of data set {name!r} is {now}; the model was trained on {was}."
        raise BadInputError(msg)
    return found


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return numbers and booleans as they are written; times have several spellings."""
    if type_word(column.type) == "time":
        return None
    return pa.chunked_array([[None if value is None else _write(value) for value in column.to_pylist()]], pa.string())


def _write(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else class_name(value)


def _as_number(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return words that are all numbers as these; None where one is not, and for times."""
    if type_word(column.type) != "string":
        return None
    try:
        return pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return None


def _labels(column: pa.ChunkedArray, classes: Any, target: str, name: str) -> Any:
    """Return the classes of the model that have these names."""
    if column.null_count:
        raise BadInputError(f"The target {target!r} of data set {name!r} has {column.null_count} missing values.")
    by_name = {class_name(label): label for label in classes}
    names = [_write(value) for value in column.to_pylist()]
    strange = sorted(set(names) - set(by_name))
    if strange:
        raise BadInputError(
            f"Data set {name!r} has classes that the model does not know: {', '.join(strange[:5])}. "
            f"It knows {', '.join([*by_name][:20])}."
        )
    return np.array([by_name[each] for each in names], dtype=np.asarray(classes).dtype)
