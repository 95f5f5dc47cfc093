"""Canonical columns: few types, no metadata, one way to write them, so that the same content has the same bytes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.learning.frame import type_word
from domain.errors import BadInputError

MOST_COLUMNS = 4000
LONGEST_NAME = 200
ROWS_OF_A_GROUP = 1 << 17
TIME = pa.timestamp("us")


def check_names(names: list[str]) -> None:
    """Refuse no, too many, empty, overlong and repeated column names."""
    if not names:
        raise BadInputError("The file has no columns.")
    if len(names) > MOST_COLUMNS:
        raise BadInputError(f"The file has {len(names)} columns: at most {MOST_COLUMNS} are allowed.")
    empty = [str(place) for place, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        raise BadInputError(
            f"Columns without a name: number {', '.join(empty[:10])}. The first line must name each column."
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadInputError(f"Columns named more than once: {', '.join(repeated[:10])}. Each needs a name of its own.")
    overlong = [name[:40] for name in names if len(name) > LONGEST_NAME]
    if overlong:
        raise BadInputError(f"Column names longer than {LONGEST_NAME} characters: {', '.join(overlong[:5])}…")


def canonical(table: pa.Table) -> pa.Table:
    """Return the table with canonical types; raises BadInputError for columns that are no numbers, words or times."""
    columns = {name: _canonical(name, table.column(name)) for name in table.column_names}
    return pa.table(columns).replace_schema_metadata(None).combine_chunks()


def write(table: pa.Table, path: Path) -> None:
    """Write a canonical table; the bytes depend on the content and on the installed pyarrow alone."""
    pq.write_table(
        table,
        path,
        version="2.6",
        compression="zstd",
        compression_level=3,
        write_statistics=False,
        store_schema=False,
        row_group_size=ROWS_OF_A_GROUP,
    )


def _canonical(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_integer(kind):
        return _whole(column)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return _numbers(name, column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return column.cast(TIME, safe=False)
    if pa.types.is_time(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    raise BadInputError(f"Column {name!r} holds {kind}: a column must hold numbers, booleans, text or times.")


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 63 bits
        return column.cast(pa.float64(), safe=False)


def _numbers(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    numbers = column.cast(pa.float64(), safe=False)
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    infinite = pc.sum(pc.is_inf(numbers)).as_py() or 0
    if infinite:
        raise BadInputError(f"Column {name!r} has {infinite} infinite values: leave unknown values empty.")
    return numbers


def described(table: pa.Table) -> dict[str, str]:
    """Return name -> integer, number, boolean, time or string."""
    return {field.name: type_word(field.type) for field in table.schema}
