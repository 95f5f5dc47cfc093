"""Parquet: uploaded files batch by batch, and the one form in which a data set is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.learning.tables.columns import canonical_schema, check_names, check_texts, value_type
from adapters.learning.tables.source import MOST_VALUES, Source, too_many_values_error
from domain.errors import BadInputError, TooLargeError

LEAST_ROWS, BATCH_ROWS, BATCH_VALUES = 1 << 10, 1 << 16, 1 << 22
BATCH_BYTES = 1 << 26  # of unfolded texts
LARGEST_WHOLE = 2**63 - 1
LARGEST_FOOTER = 16 << 20  # bytes; opened it takes some thirty times as much memory
MOST_PARTS = 10_000  # row groups, and columns of a row group
END = 8  # bytes at the end of a file: the length of the footer, and a mark
TOO_MANY_PARTS = "Exceeded size limit"  # so the reader of the footer says


class ParquetTable:
    """A file, opened as often as it is read."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit

    def source(self) -> Source:
        """Return the table; raises BadInputError, TooLargeError."""
        with explain_errors("Parquet"):
            self._check_footer()
            file = self._open()
            raw = file.schema_arrow
            check_names(raw.names)
            canonical_schema(raw)
            self._check_size(file.metadata, len(raw))
            texts = [field.name for field in raw if _is_text(value_type(field.type))]
            schema = self._open(texts).schema_arrow
            for place, field in enumerate(schema):
                if value_type(field.type) == pa.uint64() and self._is_beyond(field.name):
                    schema = schema.set(place, pa.field(field.name, pa.float64()))
        index = [name for name in pandas_index(raw) if name in raw.names]
        return Source(schema, lambda: self._batches(schema, texts), found={"format": "parquet"}, index=tuple(index))

    def _batches(self, schema: pa.Schema, texts: list[str]) -> Iterator[pa.RecordBatch]:
        rows, size = max(LEAST_ROWS, min(BATCH_ROWS, BATCH_VALUES // max(len(schema), 1))), 0
        with explain_errors("Parquet"):
            for batch in self._open(texts).iter_batches(batch_size=rows, use_threads=False):
                for name, column in zip(schema.names, batch.columns, strict=True):
                    check_texts(name, column)
                unfolded = sum(map(unfolded_size, batch.columns))
                size += unfolded
                if size > self._limit:
                    raise too_large_error(self._limit)
                for piece in pieces(batch, unfolded):
                    yield piece if piece.schema.equals(schema) else _as(schema, piece)

    def _open(self, texts: list[str] | None = None) -> pq.ParquetFile:
        return pq.ParquetFile(
            self._path, pre_buffer=False, read_dictionary=texts, thrift_container_size_limit=MOST_PARTS
        )

    def _check_footer(self) -> None:
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - END, 0))
            length = int.from_bytes(file.read(END)[:4], "little")
        if LARGEST_FOOTER < length < size:
            raise BadInputError(
                f"The Parquet file describes itself in {length:,} bytes: at most {LARGEST_FOOTER:,}."
                " Write it with fewer row groups."
            )

    def _check_size(self, metadata: pq.FileMetaData, columns: int) -> None:
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        rows = sum(group.num_rows for group in groups)
        if rows * columns > MOST_VALUES:
            raise too_many_values_error(rows, columns)
        if sum(group.total_byte_size for group in groups) > self._limit:
            raise too_large_error(self._limit)

    def _is_beyond(self, name: str) -> bool:
        """Whether a column of unsigned numbers has some beyond 63 bits."""
        batches = self._open().iter_batches(batch_size=BATCH_ROWS, columns=[name], use_threads=False)
        columns = (batch.column(0) for batch in batches)
        return any((pc.max(column.cast(pa.uint64())).as_py() or 0) > LARGEST_WHOLE for column in columns)


def pandas_index(schema: pa.Schema) -> list[str]:
    """Return the columns that pandas wrote as the index of a frame, as the metadata say."""
    metadata = schema.pandas_metadata or {}
    return [name for name in metadata.get("index_columns", ()) if isinstance(name, str)]


def too_large_error(limit: int) -> TooLargeError:
    """Say what the limit of a data set is."""
    return TooLargeError(f"The data set is larger than {limit >> 30 or 1} GiB after decompression: that is the limit.")


def unfolded_size(column: pa.Array) -> int:
    """Return how many bytes a column takes once every row has its own value."""
    if not pa.types.is_dictionary(column.type):
        return max(int(column.nbytes), len(column))
    if not _is_text(column.type.value_type):
        return 8 * len(column)
    lengths = pc.binary_length(column.dictionary)
    return len(column) + int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0)


def pieces(batch: pa.RecordBatch, unfolded: int) -> Iterator[pa.RecordBatch]:
    """Cut a batch into pieces that are not too large once every row has its own value."""
    number = min(max(-(-unfolded // BATCH_BYTES), 1), max(batch.num_rows, 1))
    rows = -(-batch.num_rows // number)
    for start in range(0, batch.num_rows, max(rows, 1)):
        yield batch.slice(start, rows)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as(schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    plain = (column.cast(value_type(column.type)) for column in batch.columns)
    columns = [column.cast(value_type(field.type), safe=False) for field, column in zip(schema, plain, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


@contextmanager
def explain_errors(form: str) -> Iterator[None]:
    """Turn what pyarrow's reader of a form (Parquet, Feather) raises into a sentence for the caller."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if TOO_MANY_PARTS in str(error):
            raise BadInputError(
                f"The Parquet file has more than {MOST_PARTS:,} row groups, or columns with all that is nested in them:"
                " that is the limit."
            ) from error
        raise BadInputError(f"The file is not {form}, or a damaged one: {str(error)[:200]}") from error


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
    """Return how many bytes the values take; Arrow's own `nbytes` depends on how the rows were batched."""
    texts = (column for column in table.columns if pa.types.is_string(column.type))
    lengths = sum(int(pc.sum(pc.binary_length(column)).as_py() or 0) for column in texts)
    return lengths + 8 * int(table.num_rows) * int(table.num_columns)
