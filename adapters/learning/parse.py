"""From an uploaded file to a raw table: gzip, CSV, TSV and Parquet, with a clear sentence for each way to fail."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from domain.errors import BadInputError, TooLargeError

MAX_BYTES = 1 << 30
CHUNK = 1 << 20
BLOCK = 16 << 20  # the longest line that the CSV reader takes, with room
BATCH_ROWS = 1 << 16
TOO_LARGE = "The data set is larger than 1 GiB after decompression: that is the limit."
SEPARATORS = {"csv": ",", "tsv": "\t"}


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


def parsed(path: Path, kind: str, limit: int = MAX_BYTES) -> pa.Table:
    """Return the raw table of a plain file; kind is csv, tsv or parquet."""
    if kind == "parquet":
        return _parquet(path, limit)
    if kind not in SEPARATORS:
        raise BadInputError(f"{kind!r} is no format of a data set: csv, tsv or parquet.")
    if path.stat().st_size > limit:
        raise TooLargeError(TOO_LARGE)
    return _separated(path, kind)


def _separated(path: Path, kind: str) -> pa.Table:
    with path.open("rb") as file:
        first = file.readline(BLOCK)
    if not first.strip():
        raise BadInputError("The file is empty: its first line must name the columns.")
    delimiter = SEPARATORS[kind]
    if kind == "csv" and b"," not in first and b";" in first:
        delimiter = ";"
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, check_utf8=True),
        )
        names = table.column_names  # decodes the header
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadInputError(_what_is_wrong(path, error)) from error
    if any(pa.types.is_binary(kind) for kind in table.schema.types):  # so the reader calls text that is not UTF-8
        raise BadInputError(_what_is_wrong(path, ValueError("text expected")))
    return table.rename_columns([name.strip() for name in names])


def _what_is_wrong(path: Path, error: Exception) -> str:
    line = _first_line_not_utf8(path)
    if line:
        return f"Line {line} is not UTF-8 text: save the file with the encoding UTF-8."
    reason = str(error).removeprefix("CSV parse error: ").strip()
    if "Expected" in reason:
        return f"The lines have different numbers of values ({reason[:300]}). Each line needs one value per column."
    return f"The file cannot be read as a table: {reason[:300]}"


def _first_line_not_utf8(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
            if b"\0" in line:
                return number
    return 0


def _lines(file: Any) -> Iterator[bytes]:
    while line := file.readline(BLOCK):
        yield line


def _parquet(path: Path, limit: int) -> pa.Table:
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        batches, size = [], 0
        for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            size += batch.nbytes  # a small file can promise much: what it holds is what counts
            if size > limit:
                raise TooLargeError(TOO_LARGE)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"The file is not Parquet, or a damaged one: {str(error)[:200]}") from error
