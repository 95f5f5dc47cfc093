"""A first look at a CSV or TSV file, block by block: what no reader should take into memory is refused before.

Its quotes are taken as pyarrow's reader takes them: one at the beginning of a value opens it, two within stand for one,
all others are characters like any.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from adapters.learning.tables.columns import LONGEST_NAME, MOST_COLUMNS, too_many_columns
from domain.errors import BadInputError

BLOCK = 8 << 20  # the longest row that the CSV reader takes; it keeps up to 32 blocks in memory
LONGEST_HEADER = 4 * MOST_COLUMNS * (LONGEST_NAME + 1)  # bytes of UTF-8
MIB = 1 << 20
LINE_END = re.compile(rb"[\r\n]")


def look_over(path: Path, delimiter: str) -> None:
    """Raise BadInputError for too many columns, a line without an end, a quote that is never closed, a NUL."""
    _check_header(path, delimiter)
    scan = _Scan(quoted_by(delimiter))
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            scan.see(block)
    scan.end()


def quoted_by(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes; its group is empty where the quote is still open.

    Possessive, so that a value takes no memory for each quote within it.
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
        raise too_many_columns(number)


def _too_long_header() -> BadInputError:
    return BadInputError(
        f"The first line, or a value in it, is too long: it must name the columns, at most {MOST_COLUMNS:,},"
        f" each by at most {LONGEST_NAME} characters. Perhaps a quote is never closed."
    )


class _Scan:
    """Goes through a file; keeps of what it saw the byte before the next one, or the value whose quote is open."""

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
        elif len(seen) - opened > BLOCK:
            line = self._line_of(seen, opened)
            raise BadInputError(f"A quote that is opened in line {line} is not closed within {BLOCK // MIB} MiB.")
        begin = max(opened - 1, 0)
        self._line = self._line_of(seen, begin)
        self._kept, self._context = seen[begin:], min(opened, 1)

    def end(self) -> None:
        """Say what is still open."""
        if self._open:
            raise BadInputError(f"A quote that is opened in line {self._open} is never closed.")

    def _measure(self, seen: bytes, block: bytes) -> None:
        first, last = LINE_END.search(block), max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._length += len(block) if first is None else first.start()
        if self._length > BLOCK:
            line = self._line_of(seen, len(seen) - len(block))
            raise BadInputError(f"Line {line} is longer than {BLOCK // MIB} MiB.")
        if last >= 0:
            self._length = len(block) - last - 1

    def _line_of(self, seen: bytes, place: int) -> int:
        return self._line + seen.count(b"\n", 0, place)
