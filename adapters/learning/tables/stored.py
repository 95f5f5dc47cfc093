"""The one way to write a data set: canonical columns to Parquet, group by group; same content, same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS_OF_A_GROUP = 1 << 17
BYTES_OF_A_GROUP = 1 << 27  # of wide rows and long texts a group has fewer: it is in memory twice while it is written
ROWS_OF_A_SLAB = 1 << 12  # rows between two looks at the size; must divide ROWS_OF_A_GROUP


def write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Write canonical batches and return the number of rows.

    The bytes depend on the content and on the installed pyarrow alone: where a group ends is decided by its content,
    and a group is written as one piece, for the pages of Parquet would show where the pieces met.
    """
    rows = 0
    with pq.ParquetWriter(
        path,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        write_statistics=False,
        store_schema=False,
    ) as writer:
        for group in _groups(_slabs(batches)):
            writer.write_table(group.combine_chunks(), row_group_size=ROWS_OF_A_GROUP)
            rows += group.num_rows
    return rows


def _groups(slabs: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = size = 0
    for slab in slabs:
        waiting.append(slab)
        rows, size = rows + slab.num_rows, size + _size(slab)
        if rows >= ROWS_OF_A_GROUP or size >= BYTES_OF_A_GROUP:
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.concat_tables(waiting)


def _slabs(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut the rows into slabs of equal length, wherever the batches end."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, ROWS_OF_A_SLAB - rows)
            waiting.append(piece)
            start, rows = start + piece.num_rows, rows + piece.num_rows
            if rows == ROWS_OF_A_SLAB:
                yield pa.Table.from_batches(waiting)
                waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _size(table: pa.Table) -> int:
    """Return how many bytes the values take; Arrow's own `nbytes` depends on how the rows came together."""
    texts = (column for column in table.columns if pa.types.is_string(column.type))
    lengths = sum(int(pc.sum(pc.binary_length(column)).as_py() or 0) for column in texts)
    return lengths + 8 * int(table.num_rows) * int(table.num_columns)
