"""Feather files (the Arrow IPC format), batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from adapters.learning.tables.columns import canonical_schema, check_names, check_texts, value_type
from adapters.learning.tables.parquet import (
    LARGEST_FOOTER,
    MOST_PARTS,
    explain_errors,
    pandas_index,
    pieces,
    too_large_error,
    unfolded_size,
)
from adapters.learning.tables.source import MOST_VALUES, Source, too_many_values_error
from domain.errors import BadInputError

MAGIC, OLDER = b"ARROW1", b"FEA1"


def read_feather(path: Path, limit: int) -> Source:
    """Return the table of a file; raises BadInputError, TooLargeError."""
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
        size = file.seek(0, 2)
        file.seek(-min(10, size), 2)
        footer = int.from_bytes(file.read(4), "little")
    if head.startswith(OLDER):
        raise BadInputError("The file is of Feather's first version: write it with version 2, or as Parquet.")
    if head != MAGIC:
        raise BadInputError("The file is not Feather (Arrow IPC): name it by what it is.")
    if LARGEST_FOOTER < footer < size:
        raise BadInputError(f"The Feather file describes itself in {footer:,} bytes: at most {LARGEST_FOOTER:,}.")
    with explain_errors("Feather"), pa.memory_map(str(path)) as mapped:
        reader = pa.ipc.open_file(mapped)
        raw = reader.schema
        if reader.num_record_batches > MOST_PARTS:
            raise BadInputError(f"The Feather file has more than {MOST_PARTS:,} batches: that is the limit.")
        check_names(raw.names)
        canonical_schema(raw)
    index = tuple(name for name in pandas_index(raw) if name in raw.names)
    schema = pa.schema([pa.field(field.name, _stored(field.type)) for field in raw])
    return Source(schema, lambda: _batches(path, schema, limit), found={"format": "feather"}, index=index)


def _stored(kind: pa.DataType) -> pa.DataType:
    kind = value_type(kind)
    return pa.float64() if kind == pa.uint64() else kind


def _batches(path: Path, schema: pa.Schema, limit: int) -> Iterator[pa.RecordBatch]:
    rows = size = 0
    with explain_errors("Feather"), pa.memory_map(str(path)) as mapped:
        reader = pa.ipc.open_file(mapped)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            batch.validate(full=True)
            rows += batch.num_rows
            if rows * len(schema) > MOST_VALUES:
                raise too_many_values_error(rows, len(schema))
            for name, column in zip(schema.names, batch.columns, strict=True):
                check_texts(name, column)
            unfolded = sum(map(unfolded_size, batch.columns))
            size += unfolded
            if size > limit:
                raise too_large_error(limit)
            for piece in pieces(batch, unfolded):
                columns = [column.cast(value_type(column.type)) for column in piece.columns]
                cast = [it.cast(field.type, safe=False) for field, it in zip(schema, columns, strict=True)]
                yield pa.RecordBatch.from_arrays(cast, schema=schema)
