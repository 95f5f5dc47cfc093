"""From an uploaded file to a raw table: gzip, then CSV, TSV or Parquet, with a clear sentence for each way to fail."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.learning.columns import value_type
from adapters.learning.separated import SEPARATORS, separated
from adapters.learning.source import Source
from domain.errors import BadInputError, TooLargeError

MAX_BYTES = 1 << 30
CHUNK = 1 << 20
LEAST_ROWS, BATCH_ROWS, BATCH_VALUES = 1 << 10, 1 << 16, 1 << 22
LARGEST_WHOLE = 2**63 - 1
TOO_LARGE = "The data set is larger than 1 GiB after decompression: that is the limit."


def unpacked(path: Path, into: Path, limit: int = MAX_BYTES) -> Path:
    """Decompress a gzip file and stop at the limit, whatever the file promises."""
    written = 0
    try:
        with gzip.open(path) as packed, into.open("wb") as plain:
            while chunk := packed.read(CHUNK):
                written += len(chunk)
                if written > limit:
                    raise TooLargeError(TOO_LARGE)
                plain.write(chunk)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInputError(
            "The file is named .gz but is not gzip: compress it by gzip, or name it otherwise."
        ) from error
    except EOFError as error:
        raise BadInputError("The gzip file ends too early: it was cut off. Send it whole.") from error
    return into


def parsed(path: Path, kind: str, limit: int = MAX_BYTES) -> Source:
    """Return the raw table of a plain file; kind is csv, tsv or parquet."""
    if kind == "parquet":
        return _parquet(path, limit)
    if kind not in SEPARATORS:
        raise BadInputError(f"{kind!r} is no format of a data set: csv, tsv or parquet.")
    if path.stat().st_size > limit:
        raise TooLargeError(TOO_LARGE)
    return separated(path, kind)


def _parquet(path: Path, limit: int) -> Source:
    with _explained():
        raw = pq.ParquetFile(path, pre_buffer=False).schema_arrow
        schema = raw
        for place, field in enumerate(raw):
            if value_type(field.type) == pa.uint64() and _is_beyond(path, place):
                schema = schema.set(place, pa.field(field.name, pa.float64()))
    return Source(schema, lambda: _batches(path, schema, limit))


def _batches(path: Path, schema: pa.Schema, limit: int) -> Iterator[pa.RecordBatch]:
    size = 0
    with _explained():
        for batch in _read(path, len(schema)):
            size += batch.nbytes  # a small file can promise much: what it holds is what counts
            if size > limit:
                raise TooLargeError(TOO_LARGE)
            yield batch if batch.schema.equals(schema) else _as(schema, batch)


def _read(path: Path, width: int) -> Iterator[pa.RecordBatch]:
    rows = max(LEAST_ROWS, min(BATCH_ROWS, BATCH_VALUES // max(width, 1)))
    file = pq.ParquetFile(path, pre_buffer=False)
    yield from file.iter_batches(batch_size=rows, use_threads=False)


def _is_beyond(path: Path, place: int) -> bool:
    """Whether a column of unsigned numbers has some beyond 63 bits."""
    file = pq.ParquetFile(path, pre_buffer=False)
    name = file.schema_arrow.names[place]
    columns = (batch.column(0) for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=[name], use_threads=False))
    return any((pc.max(column.cast(pa.uint64())).as_py() or 0) > LARGEST_WHOLE for column in columns)


def _as(schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    plain = (column.cast(value_type(column.type)) for column in batch.columns)
    columns = [column.cast(value_type(field.type), safe=False) for field, column in zip(schema, plain, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"The file is not Parquet, or a damaged one: {str(error)[:200]}") from error
