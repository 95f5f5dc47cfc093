"""New rows for a fitted model, from an uploaded table or as one JSON object, read as its training data were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from adapters.learning.preparation.frame import Frame, frame_of, type_word
from adapters.learning.tables.columns import Columns, check_names, value_type
from adapters.learning.tables.decisions import REMEDY
from adapters.learning.tables.given import read_given
from adapters.learning.tables.ingest import open_upload, sized_batches
from adapters.learning.tables.source import Source
from adapters.learning.tables.typed import explain_conversions, find_types
from autolearn.printable import visible
from domain.errors import BadInputError

NUMBERS = frozenset({"integer", "number", "boolean"})  # a number stays one, whole or not
JSON_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string(), type(None): pa.string()}
SHOWN = 10


@dataclass(frozen=True)
class RowFrames:
    """`frames` yields them in order, part by part, each with the number of its missing values; `notes` may surprise."""

    frames: Callable[[], Iterator[tuple[Frame, int]]]
    notes: list[str]


def read_rows(facts: dict[str, Any], scratch: Callable[[str], Path]) -> RowFrames:
    """Return the rows of `{row}` or `{path, format, gzip}`; `types` are those of the columns that the model takes.

    `given` are the decisions by which its data set was read. Raises BadInputError, TooLargeError.
    """
    types: dict[str, str] = facts["types"]
    given = read_given(_of_columns(facts["given"], types))
    is_table = "path" in facts
    source = open_upload(facts, given, next(iter(types)), scratch) if is_table else _row_source(facts["row"])
    names = source.schema.names
    if lacking := [name for name in types if name not in names]:
        raise BadInputError(f"Columns that the model was trained on are missing: {_listed(lacking)}.")
    extra = [name for name in names if name not in types]
    if extra and not is_table:
        raise BadInputError(f"The model does not know {_listed(extra)}. It takes {_listed([*types])}.")
    source = source.without(extra)
    check_names(source.schema.names)
    given = replace(given, types=_types_to_find(source, types))
    try:
        with explain_conversions():
            typed = find_types(source, given, "")
    except BadInputError as refused:
        raise BadInputError(refused.sentence.replace(REMEDY, "The model learned from such values alone.")) from None
    notes = [
        *source.notes,
        *([f"Columns that the model does not use were ignored: {_listed(extra)}."] if extra else []),
    ]
    return RowFrames(lambda: _frames(typed.source, [*types], facts), notes)


def _of_columns(decisions: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    """Return those of the data set's decisions that speak of files, and of these columns."""
    spellings = {name: it for name, it in (decisions.get("spellings") or {}).items() if name in types}
    kept = ("decimal", "thousands", "missing", "dayfirst", "earlier")
    return {name: decisions.get(name) for name in kept} | {"types": types, "spellings": spellings}


def _row_source(row: Any) -> Source:
    if not isinstance(row, dict):
        raise BadInputError('The row is no JSON object: write the columns with their values, {"size": 1.5}.')
    unfit = [name for name, value in row.items() if type(value) not in JSON_TYPES]
    if unfit:
        raise BadInputError(f"The values of {_listed(unfit)} are lists or objects: a number, text, boolean or null.")
    try:
        columns = {name: pa.array([value], JSON_TYPES[type(value)]) for name, value in row.items()}
    except (OverflowError, pa.ArrowInvalid) as error:
        raise BadInputError(f"A number of the row is beyond 64 bits: {error}.") from error
    return Source.of(pa.table(columns))


def _types_to_find(source: Source, types: dict[str, str]) -> dict[str, str]:
    """Return the type of each column that is not of it already. Whole numbers are numbers to a model."""
    wanted = {name: "number" if kind == "integer" else kind for name, kind in types.items()}
    if source.is_text:
        return wanted
    there = {field.name: type_word(value_type(field.type)) for field in source.schema}
    return {name: kind for name, kind in wanted.items() if there[name] != kind and not {there[name], kind} <= NUMBERS}


def _frames(source: Source, names: list[str], facts: dict[str, Any]) -> Iterator[tuple[Frame, int]]:
    columns = Columns(source.schema)
    with explain_conversions():
        for batch in sized_batches(source):
            table = pa.Table.from_batches([columns.cast(batch)]).select(names)
            columns.check()
            missing = sum(column.null_count for column in table.columns)
            yield frame_of(table, np.zeros(table.num_rows), facts), missing


def _listed(names: list[str]) -> str:
    return ", ".join(map(visible, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")


def canonical_row(row: Any) -> bytes:
    """Return a row as its digest is computed: sorted, without blanks."""
    return json.dumps(row, sort_keys=True, separators=(",", ":")).encode()
