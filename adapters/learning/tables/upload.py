"""Opens an uploaded file as a raw table: gzip, then CSV, TSV or Parquet."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from adapters.learning.tables.delimited import SEPARATORS, read_delimited
from adapters.learning.tables.parquet import ParquetTable, too_large_error
from adapters.learning.tables.source import Source
from domain.errors import BadInputError

MAX_BYTES = 1 << 30
CHUNK = 1 << 20


def unpack(path: Path, into: Path, limit: int = MAX_BYTES) -> Path:
    """Decompress a gzip file and stop at the limit, whatever the file promises."""
    written = 0
    try:
        with gzip.open(path) as packed, into.open("wb") as plain:
            while chunk := packed.read(CHUNK):
                written += len(chunk)
                if written > limit:
                    raise too_large_error(limit)
                plain.write(chunk)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInputError(
            "The file is named .gz but is not gzip: compress it by gzip, or name it otherwise."
        ) from error
    except EOFError as error:
        raise BadInputError("The gzip file ends too early: it was cut off. Send it whole.") from error
    return into


def open_table(path: Path, kind: str, limit: int = MAX_BYTES) -> Source:
    """Return the raw table of a plain file; kind is csv, tsv or parquet."""
    if kind == "parquet":
        return ParquetTable(path, limit).source()
    if kind not in SEPARATORS:
        raise BadInputError(f"{kind!r} is no format of a data set: csv, tsv or parquet.")
    if path.stat().st_size > limit:
        raise too_large_error(limit)
    return read_delimited(path, kind)
