"""Canonical columns and the target: few types and no metadata, so equal content is an equal table."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.preparation.frame import type_word
from autolearn.printable import visible
from domain.errors import BadInputError

MOST_COLUMNS = 4000
LONGEST_TEXT = 1 << 20  # bytes of one value
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LONGEST_NAME = 200
NUMBER, TIME = pa.float64(), pa.timestamp("us")


NAMELESS = re.compile(r"Unnamed: (\d+)(_level_\d+)?(\.\d+)?")  # so pandas calls them


def name_columns(names: list[str]) -> list[str]:
    """Return a name for each column; one without gets a name that `NAMELESS` knows."""
    taken = set(names)
    for place, name in enumerate(names):
        if not name:
            called = f"Unnamed: {place}"
            while called in taken:
                called += ".1" if "." not in called else "1"
            taken.add(called)
            names = [*names[:place], called, *names[place + 1 :]]
    return names


def check_names(names: list[str]) -> None:
    """Refuse missing, too many, overlong and repeated column names."""
    if not names:
        raise BadInputError("The file has no columns.")
    if len(names) > MOST_COLUMNS:
        raise too_many_columns_error(len(names))
    empty = [place for place, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        raise nameless_error(empty)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadInputError(f"Columns named more than once: {', '.join(repeated[:10])}. Each needs a name of its own.")
    unprintable = [visible(name[:40]) for name in names if CONTROL.search(name)]
    if unprintable:
        raise BadInputError(f"Column names with control characters: {', '.join(unprintable[:5])}. Rename them.")
    overlong = [name[:40] for name in names if len(name) > LONGEST_NAME]
    if overlong:
        raise BadInputError(f"Column names longer than {LONGEST_NAME} characters: {', '.join(overlong[:5])}…")


def nameless_error(places: list[int]) -> BadInputError:
    """Say that columns with values need a name; places count from 1."""
    numbers = ", ".join(map(str, places[:10]))
    return BadInputError(f"Columns without a name: number {numbers}. The first line must name each column.")


def too_many_columns_error(number: int) -> BadInputError:
    """Say how many there may be."""
    return BadInputError(f"The file has {number} columns: at most {MOST_COLUMNS} are allowed.")


def canonical_schema(raw: pa.Schema) -> pa.Schema:
    """Return the canonical types; raises BadInputError for columns that are not numbers, booleans, text or times."""
    return pa.schema([pa.field(field.name, _canonical(field.name, field.type)) for field in raw])


def value_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column's values; for a dictionary, the type of its entries."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def column_types(schema: pa.Schema) -> dict[str, str]:
    """Return name -> integer, number, boolean, time or string."""
    return {field.name: type_word(field.type) for field in schema}


class Columns:
    """The canonical columns of a raw table: casts its batches, and counts infinite values."""

    def __init__(self, raw: pa.Schema) -> None:
        self.schema = canonical_schema(raw)
        self._infinite: Counter[str] = Counter()

    def cast(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch with canonical types."""
        for field, column in zip(self.schema, batch.columns, strict=True):
            check_texts(field.name, column)
        columns = [self._cast(field, column) for field, column in zip(self.schema, batch.columns, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def check(self) -> None:
        """Raise BadInputError if a batch had infinite values."""
        for name in self.schema.names:
            if count := self._infinite[name]:
                raise BadInputError(f"Column {name!r} has {count} infinite values: leave unknown values empty.")

    def _cast(self, field: pa.Field, column: pa.Array) -> pa.Array:
        column = column.cast(value_type(column.type))
        column = column.cast(field.type, safe=pa.types.is_integer(field.type))
        if pa.types.is_floating(field.type):
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, NUMBER), column)
            if infinite := pc.sum(pc.is_inf(column)).as_py():
                self._infinite[field.name] += infinite
        return column


def _canonical(name: str, kind: pa.DataType) -> pa.DataType:
    kind = value_type(kind)
    if pa.types.is_boolean(kind):
        return kind
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return NUMBER
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return TIME
    if pa.types.is_time(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.string()
    raise BadInputError(f"Column {name!r} holds {kind}: a column must hold numbers, booleans, text or times.")


def check_texts(name: str, column: pa.Array) -> None:
    """Raise BadInputError for a text that is too long; dictionary texts are checked before they are expanded."""
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    if pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type):
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        if longest > LONGEST_TEXT:
            raise BadInputError(f"Column {name!r} has a text of {longest:,} bytes: at most {LONGEST_TEXT:,} (1 MiB).")
