"""The ingest task: from an uploaded file, or a data set of scikit-learn, to a canonical Parquet file."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.profiling.profile import store_profile
from adapters.learning.profiling.suspects import About
from adapters.learning.tables.builtin import BUILTIN, builtin_table
from adapters.learning.tables.columns import NAMELESS, Columns, check_names, column_types
from adapters.learning.tables.delimited import read_delimited
from adapters.learning.tables.dialect import find_encoding, recode
from adapters.learning.tables.feather import read_feather
from adapters.learning.tables.given import NOTHING_GIVEN, Given, read_given
from adapters.learning.tables.parquet import ParquetTable, too_large_error, write
from adapters.learning.tables.source import MOST_VALUES, Source, too_many_values_error
from adapters.learning.tables.target import Target
from adapters.learning.tables.typed import check_wanted, explain_conversions, find_types, reading_of, split_names
from autolearn.printable import visible
from commands.ports import Blobs
from domain.errors import BadInputError, NotFoundError

MAX_BYTES = 1 << 30  # after decompression
CHUNK = 1 << 20
DELIMITED = ("csv", "tsv")
WORKBOOKS = ("xlsx", "ods")
FORMATS = (*DELIMITED, *WORKBOOKS, "parquet", "feather")
FRACTION_NAME = re.compile(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?")


def ingest(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Read, check and store; facts as in docs/architecture.md, or `{builtin, target}`. The given file stays.

    It works batch by batch, so its memory does not grow with the file.
    """
    given = read_given(facts.get("given") or {})
    target = str(facts["target"])
    with ExitStack() as stack:
        scratch = partial(scratch_file, stack, blobs)
        source = _open_builtin(facts["builtin"]) if "builtin" in facts else open_upload(facts, given, target, scratch)
        return _store(source, target, given, blobs, scratch(".parquet"), name=str(facts.get("name", "NAME")))


def _store(source: Source, named: str, given: Given, blobs: Blobs, path: Path, *, name: str) -> dict[str, Any]:
    given = replace(given, drop=split_names(given.drop, source.schema.names))
    check_wanted(source, given, named)
    kept, more = _restrict(source, given, named)
    typed = find_types(kept, given, named)
    names = typed.source.schema.names
    check_names(names)
    _check_target(names, named, typed.left_out)
    columns, blank = Columns(typed.source.schema), Counter[str]()
    task = given.task or "classification"
    target = Target(named, columns.schema, task=task, drop_missing=given.drop_missing_target)
    with explain_conversions():
        filled = _filled_rows(typed.source, blank)
        rows = write((target.observe(columns.cast(batch)) for batch in filled), target.schema, path)
    if not rows:
        raise BadInputError("The file has no rows: only the line with the column names was found.")
    columns.check()
    missing = typed.columns[named].missing if named in typed.columns else Counter[str]()
    classes, positive, remarks = target.finish(missing, given.positive, given.earlier.get("positive"))
    before = [*source.notes, *_encoding_notes(source.found, given), *_header_notes(names)]
    about = About(name, named, task, given, typed.missing)
    return {
        "profile": store_profile(path, about, blobs),
        "blob": blobs.put_file(str(path)).model_dump(),
        "rows": rows,
        "columns": column_types(target.schema),
        "classes": classes,
        "class_rows": target.class_rows,
        "task": task,
        "positive": positive,
        "reading": reading_of(source.found, typed, given, target.rows_dropped) if source.found else None,
        "notes": [*before, *more, *typed.notes, *_blank_notes(blank), *remarks],
    }


def _restrict(source: Source, given: Given, target: str) -> tuple[Source, list[str]]:
    """Leave out what is dropped, and what an earlier version had not."""
    dropped = {*given.drop}
    if given.columns is None:
        return source.without(dropped), []
    extra = [name for name in source.schema.names if name not in {*given.columns, target, *dropped}]
    named = [name for name in extra if not NAMELESS.fullmatch(name) and name not in source.index]
    shown = ", ".join(map(visible, named[:10]))
    notes = [f"Columns that the earlier version has not were left out: {shown}."] if named else []
    return source.without({*dropped, *named}), notes


def _encoding_notes(found: dict[str, Any], given: Given) -> list[str]:
    encoding = found.get("encoding")
    if given.encoding or encoding not in {"cp1252", "latin-1"}:
        return []
    return [f"The file is not UTF-8 text; it was read as {encoding}. Another encoding can be given (--encoding)."]


def _header_notes(names: list[str]) -> list[str]:
    """Return a note on names that are numbers with fractions: perhaps values, in a file without a line of names."""
    numbers = [name for name in names if FRACTION_NAME.fullmatch(name)]
    if not numbers:
        return []
    shown = ", ".join(numbers[:5])
    return [f"Names of columns that are numbers: {shown}. Perhaps the file has no first line that names its columns."]


def _filled_rows(source: Source, blank: Counter[str]) -> Iterator[pa.RecordBatch]:
    """Leave out and count rows without any value, as spreadsheets write them below a table."""
    for batch in sized_batches(source):
        if source.is_text and all(column.null_count for column in batch.columns):
            filled = reduce(pc.or_, (column.is_valid() for column in batch.columns))
            blank["rows"] += batch.num_rows - pc.sum(filled).as_py()
            yield batch.filter(filled)
        else:
            yield batch


def _blank_notes(blank: Counter[str]) -> list[str]:
    rows = blank["rows"]
    return [f"Rows without any value were left out: {rows}."] if rows else []


def sized_batches(source: Source) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a source; raises TooLargeError once it has too many values."""
    rows, columns = 0, len(source.schema)
    for batch in source.batches():
        rows += batch.num_rows
        if rows * columns > MOST_VALUES:
            raise too_many_values_error(rows, columns)
        yield batch


def _open_builtin(name: str) -> Source:
    if name not in BUILTIN:
        raise NotFoundError.for_name("built-in data set", name, list(BUILTIN))
    return Source.of(builtin_table(name))


def open_upload(facts: dict[str, Any], given: Given, target: str, scratch: Callable[[str], Path]) -> Source:
    """Return the table of an uploaded file (`{path, format, gzip}`); the line of column names is one with `target`."""
    path, kind, encoding = Path(facts["path"]), str(facts["format"]), "utf-8"
    if facts["gzip"]:
        path = unpack(path, scratch(f".{kind}"))
    if kind in DELIMITED:
        encoding = given.encoding or find_encoding(path, given.earlier.get("encoding"))
        if encoding != "utf-8":
            recode(path, encoding, path := scratch(f".{kind}"), MAX_BYTES)
    if kind in WORKBOOKS:
        from adapters.learning.tables.workbook import read_workbook  # noqa: PLC0415 - few tasks need its reader

        return read_workbook(path, kind, given, scratch(".sheet"))
    return open_table(path, kind, given, target, encoding=encoding)


def scratch_file(stack: ExitStack, blobs: Blobs, suffix: str) -> Path:
    """Return the place of a file that is gone when the stack is closed."""
    path = Path(blobs.scratch(suffix))
    stack.callback(path.unlink, missing_ok=True)
    return path


def _check_target(names: list[str], target: str, left_out: Collection[str]) -> None:
    if target not in names:
        shown = ", ".join(names[:50])
        hint = " ".join(["", *_header_notes(names)])
        raise BadInputError(f"There is no column {target!r} to be the target. The columns are: {shown}.{hint}")
    if len(names) == 1:
        others = f" ({', '.join(left_out)} left out)" if left_out else ""
        raise BadInputError(
            f"The only column is the target {target!r}{others}: at least one more is needed to learn from."
        )


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


def open_table(
    path: Path,
    kind: str,
    given: Given = NOTHING_GIVEN,
    target: str = "",
    *,
    encoding: str = "utf-8",
    limit: int = MAX_BYTES,
) -> Source:
    """Return the raw table of a plain file, text as UTF-8 (`encoding`: before); kind is one of `FORMATS`."""
    if kind == "parquet":
        return ParquetTable(path, limit).source()
    if kind == "feather":
        return read_feather(path, limit)
    if kind not in DELIMITED:
        raise BadInputError(f"{kind!r} is not a data set format: use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if path.stat().st_size > limit:
        raise too_large_error(limit)
    return read_delimited(path, kind, given, target, encoding)
