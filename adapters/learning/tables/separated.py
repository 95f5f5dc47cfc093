"""CSV and TSV, batch by batch, with the types that the whole file has; a clear sentence for each way to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from adapters.learning.tables.columns import check_names
from adapters.learning.tables.csv_types import is_certain, joined, types_of
from adapters.learning.tables.overview import BLOCK, look_over
from adapters.learning.tables.source import Source
from domain.errors import BadInputError

SEPARATORS = {"csv": ",", "tsv": "\t"}
STRADDLING = "straddling object"  # so it calls a row that does not fit into a block
CONVERSION = "conversion error"  # so the CSV reader calls a value that is not of its column's type


def separated(path: Path, kind: str) -> Source:
    """Return the table of a file with a line of column names; kind is csv or tsv."""
    text = SeparatedText(path, _delimiter(path, kind))
    with text.explained():
        look_over(path, text.delimiter)
        first = text.reader()
        names = [name.strip() for name in first.schema.names]  # decodes the header
        check_names(names)
        types = text.types(first)
    if any(pa.types.is_binary(kind) for kind in types):  # so the reader calls text that is not UTF-8
        raise BadInputError(_what_is_wrong(path, ValueError("text expected")))
    chosen = dict(zip(first.schema.names, types, strict=True))
    schema = pa.schema(list(zip(names, types, strict=True)))
    return Source(schema, lambda: text.batches(chosen, schema))


@dataclass(frozen=True)
class SeparatedText:
    """The file as pyarrow's streaming reader takes it, which guesses types by the first block alone."""

    path: Path
    delimiter: str

    def reader(self, types: dict[str, pa.DataType] | None = None, only: str = "") -> Any:
        """Open it, with the given types."""
        return pyarrow.csv.open_csv(
            self.path,
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pyarrow.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                strings_can_be_null=True,
                check_utf8=True,
                column_types=types,
                include_columns=[only] if only else None,
            ),
        )

    def batches(self, types: dict[str, pa.DataType], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows, under the names of the schema."""
        with self.explained():
            for batch in self.reader(types):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    def types(self, first: Any) -> list[pa.DataType]:
        """Return each column's narrowest type that all its values have: mostly what the first block said."""
        guessed: list[pa.DataType] = first.schema.types
        if self.path.stat().st_size < BLOCK or _fits(lambda: first):
            return guessed
        names = first.schema.names
        types, certain = guessed, [True] * len(names)
        for batch in self.reader(dict.fromkeys(names, pa.string())):
            found = types_of(batch)
            certain = [sure and is_certain(*pair) for sure, *pair in zip(certain, types, found, strict=True)]
            types = list(map(joined, types, found))
        columns = zip(names, types, certain, strict=True)
        return [kind if sure or self._holds(name, kind) else pa.string() for name, kind, sure in columns]

    def _holds(self, name: str, kind: pa.DataType) -> bool:
        return _fits(lambda: self.reader({name: kind}, name))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the reader raises into a sentence for the caller."""
        try:
            yield
        except MemoryError:
            raise
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise BadInputError(_what_is_wrong(self.path, error)) from error


def _delimiter(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        first = file.readline(BLOCK)
    if not first.strip():
        raise BadInputError("The file is empty: its first line must name the columns.")
    return ";" if kind == "csv" and b"," not in first and b";" in first else SEPARATORS[kind]


def _fits(opened: Callable[[], Any]) -> bool:
    """Whether all values have the types that a reader takes them for; its opening reads the first of them."""
    try:
        for _ in opened():
            pass
    except pa.ArrowInvalid as error:
        if CONVERSION not in str(error):
            raise
        return False
    return True


def _what_is_wrong(path: Path, error: Exception) -> str:
    line = _first_line_not_utf8(path)
    if line:
        return f"Line {line} is not UTF-8 text: save the file with the encoding UTF-8."
    reason = str(error).removeprefix("CSV parse error: ").strip()
    if STRADDLING in reason:
        return f"The file cannot be read as a table: a row is longer than {BLOCK >> 20} MiB."
    if "Expected" in reason:
        return f"The lines have different numbers of values ({reason[:300]}). Each line needs one value per column."
    return f"The file cannot be read as a table: {reason[:300]}"


def _first_line_not_utf8(path: Path) -> int:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(BLOCK):
            number += 1
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
            if b"\0" in line:
                return number
    return 0
