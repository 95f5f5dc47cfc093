"""The ingest task: from an uploaded file, or a data set of scikit-learn, to a canonical Parquet file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from adapters.learning.tables.builtin import BUILTIN, builtin_table
from adapters.learning.tables.columns import Columns, Target, check_names, column_types
from adapters.learning.tables.delimited import SEPARATORS, read_delimited
from adapters.learning.tables.parquet import ParquetTable, too_large_error, write
from adapters.learning.tables.source import MOST_VALUES, Source, too_many_values_error
from commands.ports import Blobs
from domain.errors import BadInputError, NotFoundError

MAX_BYTES = 1 << 30  # after decompression
CHUNK = 1 << 20


def ingest(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Read, check and store; facts as in docs/architecture.md, or `{builtin, target}`. The given file stays.

    It works batch by batch, so its memory does not grow with the file.
    """
    with _open_builtin(facts["builtin"]) if "builtin" in facts else _open_upload(facts, blobs) as source:
        return _store(source, str(facts["target"]), blobs)


def _store(source: Source, named: str, blobs: Blobs) -> dict[str, Any]:
    check_names(source.schema.names)
    _check_target(source.schema.names, named)
    columns = Columns(source.schema)
    target = Target(named, columns.schema)
    path = Path(blobs.scratch(".parquet"))
    try:
        rows = write((target.observe(columns.cast(batch)) for batch in _check_size(source)), target.schema, path)
        if not rows:
            raise BadInputError("The file has no rows: only the line with the column names was found.")
        columns.check()
        classes = target.classes()
        ref = blobs.put_file(str(path))
    finally:
        path.unlink(missing_ok=True)
    return {"blob": ref.model_dump(), "rows": rows, "columns": column_types(target.schema), "classes": classes}


def _check_size(source: Source) -> Iterator[pa.RecordBatch]:
    rows, columns = 0, len(source.schema)
    for batch in source.batches():
        rows += batch.num_rows
        if rows * columns > MOST_VALUES:
            raise too_many_values_error(rows, columns)
        yield batch


@contextmanager
def _open_builtin(name: str) -> Iterator[Source]:
    if name not in BUILTIN:
        raise NotFoundError.for_name("built-in data set", name, list(BUILTIN))
    yield Source.of(builtin_table(name))


@contextmanager
def _open_upload(facts: dict[str, Any], blobs: Blobs) -> Iterator[Source]:
    path = Path(facts["path"])
    if not facts["gzip"]:
        yield open_table(path, facts["format"])
        return
    plain = Path(blobs.scratch(f".{facts['format']}"))
    try:
        yield open_table(unpack(path, plain), facts["format"])
    finally:
        plain.unlink(missing_ok=True)


def _check_target(names: list[str], target: str) -> None:
    if target not in names:
        shown = ", ".join(names[:50])
        raise BadInputError(f"There is no column {target!r} to be the target. The columns are: {shown}.")
    if len(names) == 1:
        raise BadInputError(f"The only column is the target {target!r}: at least one more is needed to learn from.")


def unpack(path: Path, into: Path, limit: int = MAX_BYTES) -> Path:
    """Decompress a gzip file and stop at the limit, whatever size the file claims."""
    written = 0
    try:
        with gzip.open(path) as packed, into.open("wb") as plain:
            while chunk := packed.read(CHUNK):
                written += len(chunk)
                if written > limit:
                    raise too_large_error(limit)
                plain.write(chunk)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInputError("The file is named .gz but is not gzip: compress it with gzip, or rename it.") from error
    except EOFError as error:
        raise BadInputError("The gzip file ends too early: it was cut off. Send it whole.") from error
    return into


def open_table(path: Path, kind: str, limit: int = MAX_BYTES) -> Source:
    """Return the raw table of a plain file; kind is csv, tsv or parquet."""
    if kind == "parquet":
        return ParquetTable(path, limit).source()
    if kind not in SEPARATORS:
        raise BadInputError(f"{kind!r} is not a data set format: use csv, tsv or parquet.")
    if path.stat().st_size > limit:
        raise too_large_error(limit)
    return read_delimited(path, kind)
