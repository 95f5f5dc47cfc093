"""How a file of separated values is written: its encoding, separator, quote, and the line that names the columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.learning.tables.given import Given
from domain.errors import BadInputError, TooLargeError

CHUNK = 1 << 20
SAMPLE, SAMPLE_ROWS = 4 << 20, 200  # characters and rows that the separator is told by
SEPARATORS = (",", ";", "\t", "|", "^", "~", ":", " ")  # the last two stand in values and names, too
SURE = 6  # of them
NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*")
MOST_ABOVE = 20  # lines above the names
BOMS = {
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?$', re.IGNORECASE)  # Excel writes and reads it
UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class Dialect:
    """`lines` stand before the first row; `names` are as many as a row has values, empty where there is none.

    `above`: how many lines with something else stand above the names.
    """

    separator: str
    quote: str
    lines: int
    names: list[str]
    above: int = 0


def find_encoding(path: Path, earlier: str | None = None) -> str:
    """Return the encoding: as a byte order mark or zero bytes tell, else UTF-8, else that of before, or a usual one."""
    with path.open("rb") as file:
        head = file.read(4096)
        marked = [encoding for mark, encoding in BOMS.items() if head.startswith(mark)]
        if marked:
            return marked[0]
        zeros = [head[place::2].count(0) for place in (0, 1)]
        if max(zeros) > len(head) // 3 and min(zeros) == 0:
            return "utf-16-le" if zeros[1] else "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        if all(_decodes(decoder, chunk) for chunk in _chunks(file)) and _decodes(decoder, b"", final=True):
            return "utf-8"
        if earlier and not earlier.startswith("utf"):
            return earlier
        file.seek(0)
        return "latin-1" if any(map(UNDEFINED_IN_CP1252.search, _chunks(file))) else "cp1252"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def recode(path: Path, encoding: str, into: Path, limit: int) -> None:
    """Write a file anew as UTF-8; raises BadInputError where it is not of the encoding, TooLargeError."""
    decoder = codecs.getincrementaldecoder(encoding)()
    written, lines = 0, 1
    with path.open("rb") as file, into.open("wb") as out:
        while True:
            chunk = file.read(CHUNK)
            try:
                text = decoder.decode(chunk, not chunk)
            except (UnicodeError, ValueError) as error:
                near = lines + chunk[: getattr(error, "start", 0)].count(b"\n")
                raise BadInputError(f"Line {near} is not {encoding} text: give another --encoding.") from error
            written += out.write(text.encode("utf-8", "replace"))
            lines += text.count("\n")
            if written > limit:
                raise TooLargeError(f"The file is larger than {limit >> 30 or 1} GiB as UTF-8: that is the limit.")
            if not chunk:
                return


def find_dialect(path: Path, given: Given, usual: str, target: str) -> Dialect:
    """Tell the separator of a UTF-8 file by its first rows and by the target, which its first line must name."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        text = file.read(SAMPLE)
    rows = list(io.StringIO(text, newline=""))  # ends at \r, \n or both, and at nothing else
    if len(text) == SAMPLE and len(rows) > 1:
        rows.pop()  # it is cut off
    lines, said = _before_names(rows)
    if not "".join(rows[lines:]).strip():
        raise BadInputError("The file is empty: its first line must name the columns.")
    likely = dict.fromkeys([given.earlier.get("separator") or usual, usual, *SEPARATORS])
    separators = [given.separator or said] if given.separator or said else list(likely)
    best = _best_split(rows[lines:], separators, target)
    above = 0
    if target and not best.is_named:  # a title or remarks may stand above the names
        later = ((n, _best_split(rows[lines + n :], separators, target)) for n in range(1, MOST_ABOVE))
        above, best = next(((n, it) for n, it in later if it.may_be_names), (0, best))
    return Dialect(best.separator, best.quote, lines + above + best.header_lines, best.names(), above)


def _best_split(rows: list[str], separators: Sequence[str | None], target: str) -> _Split:
    sample = "".join(rows[: 10 * SAMPLE_ROWS])
    quotes = ["'", '"'] if _has_single_quotes(sample) else ['"']
    splits = [_Split(str(one), quote, sample, target, -rank) for rank, one in enumerate(separators) for quote in quotes]
    return max(splits, key=lambda it: it.fitness)


def _before_names(rows: list[str]) -> tuple[int, str | None]:
    """Count blank lines and a line `sep=;` before the names."""
    for number, row in enumerate(rows):
        match = SEPARATOR_LINE.match(row.rstrip("\r\n"))
        if match:
            return number + 1, match[1]
        if row.strip():
            return number, None
    return 0, None


def _has_single_quotes(sample: str) -> bool:
    """Whether values stand in single quotes, and none in double ones."""
    quoted = re.findall(r"(?:^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)", sample, re.MULTILINE)
    return '"' not in sample and len(quoted) >= max(len(sample.splitlines()) - 1, 1)


class _Split:
    """A sample as a separator and a quote split it."""

    def __init__(self, separator: str, quote: str, sample: str, target: str, rank: int) -> None:
        self.separator, self.quote = separator, quote
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, quotechar=quote)
        self.header: list[str] = []
        self.header_lines = 1
        self.widths = Counter[int]()
        self.ends_empty = True
        try:
            self.header, self.header_lines = next(reader), reader.line_num
            for row, _ in zip(filter(None, reader), range(SAMPLE_ROWS), strict=False):
                self.widths[len(row)] += 1
                self.ends_empty &= not row[-1].strip()
        except (csv.Error, StopIteration):  # a value longer than Python's reader takes
            pass
        columns = len(self.header)
        sure = separator in SEPARATORS[:SURE]
        self.is_named = columns > 1 and bool(target) and target in [name.strip() for name in self.header]
        self.is_consistent = columns > 1 and len(self.widths) == 1 and abs(max(self.widths) - columns) <= 1
        self.may_be_names = self.is_named and self.is_consistent and not any(map(NUMBER.fullmatch, self.header))
        self.fitness = (self.is_named, self.is_consistent and sure, columns > 1 and sure, quote == "'", rank)

    def names(self) -> list[str]:
        """Return a name for each value of a row: rows may begin with a name of their own, or end with a separator."""
        columns, names = len(self.header), [name.strip() for name in self.header]
        if set(self.widths) == {columns + 1}:
            return [*names, ""] if self.ends_empty else ["", *names]
        if set(self.widths) == {columns - 1} and not names[-1]:
            return names[:-1]
        return names
