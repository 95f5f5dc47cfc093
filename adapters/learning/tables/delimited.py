"""CSV and TSV files, block by block: their shape, the types of their columns, and their rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from adapters.learning.tables.columns import LONGEST_NAME, MOST_COLUMNS, check_names, too_many_columns_error
from adapters.learning.tables.source import Source
from domain.errors import BadInputError

WHOLE, BOOLEAN, NUMBER, TEXT = pa.int64(), pa.bool_(), pa.float64(), pa.string()
DATE, SECONDS, NANOSECONDS = pa.date32(), pa.timestamp("s"), pa.timestamp("ns")

# Both are of this type, or (uncertain) may be: only some whole numbers are booleans, only some times have nanoseconds.
CERTAIN = {frozenset({WHOLE, NUMBER}): NUMBER, frozenset({DATE, SECONDS}): SECONDS}
UNCERTAIN = {
    frozenset({WHOLE, BOOLEAN}): BOOLEAN,
    frozenset({DATE, NANOSECONDS}): NANOSECONDS,
    frozenset({SECONDS, NANOSECONDS}): NANOSECONDS,
}


def join_types(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the narrowest type that has room for the values of both."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    both = frozenset({one, other})
    return CERTAIN.get(both) or UNCERTAIN.get(both) or TEXT


def is_certain(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether the types alone decide what they are joined to."""
    return frozenset({one, other}) not in UNCERTAIN


def types_of(texts: pa.RecordBatch) -> list[pa.DataType]:
    """Return the types of columns that were read as text."""
    sink = pa.BufferOutputStream()
    names = [f"c{place}" for place in range(texts.num_columns)]
    pyarrow.csv.write_csv(pa.RecordBatch.from_arrays(texts.columns, names=names), sink)
    written = sink.getvalue()
    table = pyarrow.csv.read_csv(
        pa.BufferReader(written),
        read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=written.size + 1),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
    )
    types: list[pa.DataType] = table.schema.types
    return types


BLOCK = 8 << 20  # the longest row that the CSV reader takes; it keeps up to 32 blocks in memory
LONGEST_LINE = BLOCK
LONGEST_HEADER = 4 * MOST_COLUMNS * (LONGEST_NAME + 1)  # bytes of UTF-8
MIB = 1 << 20
LINE_END = re.compile(rb"[\r\n]")


def check_lines(path: Path, delimiter: str) -> None:
    """Raise BadInputError for too many columns, a line without an end, a quote that is never closed, a NUL."""
    _check_header(path, delimiter)
    scan = _Scan(quoted_value_pattern(delimiter))
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            scan.see(block)
    scan.end()


def quoted_value_pattern(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes; its group is empty where the quote is still open.

    It is possessive: a value takes no memory for each quote in it.
    """
    return re.compile(rb"(?<![^\r\n" + delimiter.encode() + rb'])"[^"]*+(?:""[^"]*+)*+("?)')


def _check_header(path: Path, delimiter: str) -> None:
    with path.open("rb") as file:
        head = file.read(LONGEST_HEADER + 1)
    first = LINE_END.split(head, 1)[0]
    ends = len(first) < len(head) or len(head) <= LONGEST_HEADER
    number = first.count(delimiter.encode()) + 1
    if b'"' in first:
        lines = io.TextIOWrapper(io.BytesIO(head), "utf-8-sig", errors="replace", newline="")
        try:
            number = len(next(csv.reader(lines, delimiter=delimiter)))
        except csv.Error as error:  # a value longer than Python's reader takes
            raise _too_long_header() from error
        ends = len(head) <= LONGEST_HEADER or bool(lines.read(1))
    if not ends:
        raise _too_long_header()
    if number > MOST_COLUMNS:
        raise too_many_columns_error(number)


def _too_long_header() -> BadInputError:
    return BadInputError(
        f"The first line, or a value in it, is too long: it must name the columns, at most {MOST_COLUMNS:,},"
        f" each by at most {LONGEST_NAME} characters. Perhaps a quote is never closed."
    )


class _Scan:
    """Scans a file; keeps only the byte before the next one, or the value whose quote is open."""

    def __init__(self, quoted: re.Pattern[bytes]) -> None:
        self._quoted = quoted
        self._kept, self._context = b"", 0  # the first bytes only say whether a value can begin behind them
        self._line = 1  # of the first byte that is kept
        self._length = 0  # of the line that goes on
        self._open = 0  # line of the quote that is open; 0: none is

    def see(self, block: bytes) -> None:
        """Look at the next block."""
        seen = self._kept + block
        if b"\0" in block:
            line = self._line_of(seen, seen.index(0))
            raise BadInputError(
                f"Line {line} is not UTF-8 text, it has a NUL byte: save the file with the encoding UTF-8."
            )
        self._measure(seen, block)
        opened = len(seen)
        for match in self._quoted.finditer(seen, self._context) if b'"' in seen else ():
            if match.end() == len(seen):  # open, or closed by what may be the first of two
                opened, self._open = match.start(), 0 if match[1] else self._line_of(seen, match.start())
        if opened == len(seen):
            self._open = 0
        elif len(seen) - opened > LONGEST_LINE:
            line = self._line_of(seen, opened)
            raise BadInputError(
                f"A quote that is opened in line {line} is not closed within {LONGEST_LINE // MIB} MiB."
            )
        begin = max(opened - 1, 0)
        self._line = self._line_of(seen, begin)
        self._kept, self._context = seen[begin:], min(opened, 1)

    def end(self) -> None:
        """Raise BadInputError for what is still open."""
        if self._open:
            raise BadInputError(f"A quote that is opened in line {self._open} is never closed.")

    def _measure(self, seen: bytes, block: bytes) -> None:
        first, last = LINE_END.search(block), max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._length += len(block) if first is None else first.start()
        if self._length > LONGEST_LINE:
            line = self._line_of(seen, len(seen) - len(block))
            raise BadInputError(f"Line {line} is longer than {LONGEST_LINE // MIB} MiB.")
        if last >= 0:
            self._length = len(block) - last - 1

    def _line_of(self, seen: bytes, place: int) -> int:
        return self._line + seen.count(b"\n", 0, place)


SEPARATORS = {"csv": ",", "tsv": "\t"}
STRADDLING = "straddling object"  # so it calls a row that does not fit into a block
CONVERSION = "conversion error"  # so the CSV reader calls a value that is not of its column's type


def read_delimited(path: Path, kind: str) -> Source:
    """Return the table of a file with a line of column names; kind is csv or tsv."""
    text = SeparatedText(path, _delimiter(path, kind))
    with text.explain_errors():
        check_lines(path, text.delimiter)
        first = text.reader()
        names = [name.strip() for name in first.schema.names]  # decodes the header
        check_names(names)
        types = text.types(first)
    if any(pa.types.is_binary(kind) for kind in types):  # so the reader calls text that is not UTF-8
        raise BadInputError(_explain_error(path, ValueError("text expected")))
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
        with self.explain_errors():
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
            types = list(map(join_types, types, found))
        columns = zip(names, types, certain, strict=True)
        return [kind if sure or self._holds(name, kind) else pa.string() for name, kind, sure in columns]

    def _holds(self, name: str, kind: pa.DataType) -> bool:
        return _fits(lambda: self.reader({name: kind}, name))

    @contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Turn what the reader raises into a sentence for the caller."""
        try:
            yield
        except MemoryError:
            raise
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise BadInputError(_explain_error(self.path, error)) from error


def _delimiter(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        first = file.readline(BLOCK)
    if not first.strip():
        raise BadInputError("The file is empty: its first line must name the columns.")
    return ";" if kind == "csv" and b"," not in first and b";" in first else SEPARATORS[kind]


def _fits(opened: Callable[[], Any]) -> bool:
    """Whether all values have the types that the reader expects; opening it reads the first of them."""
    try:
        for _ in opened():
            pass
    except pa.ArrowInvalid as error:
        if CONVERSION not in str(error):
            raise
        return False
    return True


def _explain_error(path: Path, error: Exception) -> str:
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
