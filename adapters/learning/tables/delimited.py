"""CSV and TSV files, block by block: their shape, and their rows as texts."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from adapters.learning.tables.columns import (
    LONGEST_NAME,
    MOST_COLUMNS,
    check_names,
    name_columns,
    too_many_columns_error,
)
from adapters.learning.tables.dialect import Dialect, find_dialect
from adapters.learning.tables.given import Given
from adapters.learning.tables.source import Source
from domain.errors import BadInputError

BLOCK = 8 << 20  # the longest row that the CSV reader takes; it keeps up to 32 blocks in memory
LONGEST_LINE = BLOCK
LONGEST_HEADER = 4 * MOST_COLUMNS * (LONGEST_NAME + 1)  # bytes of UTF-8
MIB = 1 << 20
TEXTS = pa.dictionary(pa.int32(), pa.string())  # what is to be found of texts is found once for equal ones
LINE_END = re.compile(rb"[\r\n]")


def check_lines(path: Path, delimiter: str, quote: str = '"') -> None:
    """Raise BadInputError for too many columns, a line without an end, a quote that is never closed, a NUL."""
    _check_header(path, delimiter, quote)
    scan = _Scan(quoted_value_pattern(delimiter, quote), quote.encode())
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            scan.see(block)
    scan.end()


def quoted_value_pattern(delimiter: str, quote: str = '"') -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes; its group is empty where the quote is still open.

    It is possessive: a value takes no memory for each quote in it.
    """
    before, mark = re.escape(delimiter).encode(), quote.encode()
    return re.compile(rb"(?<![^\r\n%b])%b[^%b]*+(?:%b%b[^%b]*+)*+(%b?)" % (before, *[mark] * 6))


def _check_header(path: Path, delimiter: str, quote: str) -> None:
    with path.open("rb") as file:
        head = file.read(LONGEST_HEADER + 1)
    first = LINE_END.split(head, 1)[0]
    ends = len(first) < len(head) or len(head) <= LONGEST_HEADER
    number = first.count(delimiter.encode()) + 1
    if quote.encode() in first:
        lines = io.TextIOWrapper(io.BytesIO(head), "utf-8-sig", errors="replace", newline="")
        try:
            number = len(next(csv.reader(lines, delimiter=delimiter, quotechar=quote)))
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

    def __init__(self, quoted: re.Pattern[bytes], quote: bytes = b'"') -> None:
        self._quoted, self._quote = quoted, quote
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
        for match in self._quoted.finditer(seen, self._context) if self._quote in seen else ():
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


USUAL = {"csv": ",", "tsv": "\t"}
STRADDLING = "straddling object"  # so the CSV reader calls a row that does not fit into a block


def read_delimited(path: Path, kind: str, given: Given, target: str, encoding: str = "utf-8") -> Source:
    """Return the table of a UTF-8 file with a line of column names; kind is csv or tsv, `encoding` that of before."""
    dialect = find_dialect(path, given, USUAL[kind], target)
    found = {"format": kind, "encoding": encoding, "separator": dialect.separator, "quote": dialect.quote}
    above = "1 line above" if dialect.above == 1 else f"{dialect.above} lines above"
    notes = [f"{above} the names of the columns {'was' if dialect.above == 1 else 'were'} left out."]
    return read_texts(path, dialect, found, notes if dialect.above else [])


def read_texts(
    path: Path, dialect: Dialect, found: dict[str, Any], notes: list[str] | None = None, rows: Sequence[int] = ()
) -> Source:
    """Return the table of a UTF-8 file whose dialect is known, after a look at all its lines.

    `rows` has the number of each row in a file that this one was made from.
    """
    check_lines(path, dialect.separator, dialect.quote)
    names = name_columns(dialect.names)
    check_names(names)
    text = SeparatedText(path, dialect)
    schema = pa.schema([(name, TEXTS) for name in names])
    return Source(
        schema,
        lambda: text.batches(schema),
        is_text=True,
        found=found,
        notes=tuple(notes or ()),
        lines_of=(lambda asked: {row: rows[row] for row in asked}) if rows else text.lines_of,
    )


@dataclass(frozen=True)
class SeparatedText:
    """The file as pyarrow's streaming reader takes it."""

    path: Path
    dialect: Dialect

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows, under the names of the schema."""
        with self.explain_errors():
            try:
                yield from self._read(schema, ahead=True)
            except pa.ArrowInvalid:
                deque(self._read(schema, ahead=False), maxlen=0)  # says the same with the number of the row
                raise

    def _read(self, schema: pa.Schema, *, ahead: bool) -> Iterator[pa.RecordBatch]:
        """Yield the rows; `ahead`: a thread reads the next ones meanwhile."""
        keys = [f"c{place}" for place in range(len(schema))]
        reader = pyarrow.csv.open_csv(
            self.path,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=ahead, block_size=BLOCK, skip_rows=self.dialect.lines, column_names=keys
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.dialect.separator, quote_char=self.dialect.quote, newlines_in_values=True
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()), null_values=[], check_utf8=True
            ),
        )
        varied: set[str] = set()
        for batch in reader:
            columns = [_encode(batch.column(place), key, varied) for place, key in enumerate(keys)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def lines_of(self, rows: Collection[int]) -> dict[int, int]:
        """Return the lines in which rows begin, as far as Python's reader can tell: it takes no very long values."""
        found: dict[int, int] = {}
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for _ in range(self.dialect.lines):
                file.readline()
            reader = csv.reader(file, delimiter=self.dialect.separator, quotechar=self.dialect.quote)
            number, before = 0, self.dialect.lines + 1
            with suppress(csv.Error):
                while len(found) < len(rows) and (row := next(reader, None)) is not None:
                    if row and number in rows:
                        found[number] = before
                    number += bool(row)
                    before = self.dialect.lines + reader.line_num + 1
        return found

    @contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Turn what the reader raises into a sentence for the caller."""
        try:
            yield
        except MemoryError:
            raise
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise BadInputError(_explain_error(self.path, error)) from error


def _encode(texts: pa.Array, key: str, varied: set[str]) -> pa.DictionaryArray:
    """Return texts with each once in a dictionary; as they are, once they turned out to be mostly different."""
    if key in varied:
        return pa.DictionaryArray.from_arrays(pa.array(np.arange(len(texts), dtype=np.int32)), texts)
    encoded = texts.dictionary_encode()
    if 2 * len(encoded.dictionary) > len(texts):
        varied.add(key)
    return encoded


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
