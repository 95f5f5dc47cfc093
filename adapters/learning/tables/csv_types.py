"""The types of a CSV file's columns, joined from those of its parts: what pyarrow finds in a file that it reads whole.

pyarrow tries null, whole number, boolean, date, time, timestamps, number and text in this order, and takes the first
that fits every value. Read whole, a file is kept in memory until its end, as any value may still change a type.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv

WHOLE, BOOLEAN, NUMBER, TEXT = pa.int64(), pa.bool_(), pa.float64(), pa.string()
DATE, SECONDS, NANOSECONDS = pa.date32(), pa.timestamp("s"), pa.timestamp("ns")

# Both are of this type, or (uncertain) may be: only some whole numbers are booleans, only some times have nanoseconds.
CERTAIN = {frozenset({WHOLE, NUMBER}): NUMBER, frozenset({DATE, SECONDS}): SECONDS}
UNCERTAIN = {
    frozenset({WHOLE, BOOLEAN}): BOOLEAN,
    frozenset({DATE, NANOSECONDS}): NANOSECONDS,
    frozenset({SECONDS, NANOSECONDS}): NANOSECONDS,
}


def joined(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the narrowest type that takes the values of both."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    both = frozenset({one, other})
    return CERTAIN.get(both) or UNCERTAIN.get(both) or TEXT


def is_certain(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether the types alone decide what they are joined to."""
    return frozenset({one, other}) not in UNCERTAIN


def types_of(texts: pa.RecordBatch) -> list[pa.DataType]:
    """Return the types of columns that were read as text."""
    sink = pa.BufferOutputStream()
    names = [f"c{place}" for place in range(texts.num_columns)]
    pyarrow.csv.write_csv(pa.RecordBatch.from_arrays(texts.columns, names=names), sink)
    written = sink.getvalue()
    table = pyarrow.csv.read_csv(
        pa.BufferReader(written),
        read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=written.size + 1),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
    )
    types: list[pa.DataType] = table.schema.types
    return types
