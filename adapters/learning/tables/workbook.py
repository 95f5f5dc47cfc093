"""Excel and OpenDocument workbooks: a sheet as a file of separated values, since its cells may be of any kind, too."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from adapters.learning.tables.columns import MOST_COLUMNS, too_many_columns_error
from adapters.learning.tables.delimited import read_texts
from adapters.learning.tables.dialect import Dialect
from adapters.learning.tables.given import Given
from adapters.learning.tables.parquet import too_large_error
from adapters.learning.tables.source import Source
from autolearn.printable import visible
from domain.errors import BadInputError, TooLargeError

LARGEST_SHEET: Final = 1 << 28  # bytes of XML; the reader holds a sheet in memory
MOST_CELLS: Final = 1 << 24  # of the rectangle around all that is filled
LARGEST_INDEX: Final = 1 << 20  # bytes of the list of sheets
CHUNK, OVERLAP = 1 << 22, 1 << 12
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # what Excel wraps around an encrypted workbook, and what .xls is
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d+)"')
ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]+\d+)"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)', re.DOTALL
)
ODS_ERROR = re.compile(rb'value-type="error"')
ODS_CONTENT = "content.xml"
NOT_AVAILABLE = b"#N/A"  # a missing value
EXACT = 2**53


def read_workbook(path: Path, kind: str, given: Given, text: Path) -> Source:
    """Return a sheet of a workbook: the given one, or else the first with data. `text` is a scratch file for it.

    Raises BadInputError for a password, a sheet that is not there or empty, and formulas that failed.
    """
    rows = array("L")
    with explain_errors():
        workbook = _open(path)
        sheet, others = _choose(workbook, given)
        _check_sheet(path, sheet)
        names = _write(workbook.get_sheet_by_name(sheet), text, rows)
    if not names:
        raise BadInputError(f"The sheet {sheet!r} is empty: its first row must name the columns.")
    notes = [f"The sheet {visible(sheet)!r} was read; --sheet chooses another: {visible(', '.join(others[:10]))}."]
    found = {"format": kind, "sheet": sheet}
    return read_texts(text, Dialect(",", '"', 1, names), found, notes if others else [], rows)


@contextmanager
def explain_errors() -> Iterator[None]:
    """Turn what the readers raise into a sentence for the caller."""
    try:
        yield
    except MemoryError:
        raise
    except (
        zipfile.BadZipFile, zlib.error, ET.ParseError, CalamineError,
        ArithmeticError, EOFError, LookupError, OSError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        sentence = f"The file is not a workbook (.xlsx or .ods), or a damaged one: {str(error)[:200]}"
        raise BadInputError(sentence) from error


def _open(path: Path) -> CalamineWorkbook:
    with path.open("rb") as file:
        if file.read(len(OLE)) == OLE:
            with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
                locked = content.find(ENCRYPTED) >= 0
            what = "is protected by a password: save it without" if locked else "is of an old format: save it as .xlsx"
            raise BadInputError(f"The workbook {what}.")
    with zipfile.ZipFile(path) as packed:
        if sum(it.file_size for it in packed.infolist()) > 4 * LARGEST_SHEET:
            raise too_large_error(4 * LARGEST_SHEET)
        wrong = packed.testzip()
        manifest = "META-INF/manifest.xml"
        if manifest in packed.namelist() and b"encryption-data" in packed.read(manifest):
            raise BadInputError("The workbook is protected by a password: save it without.")
    if wrong is not None:
        raise BadInputError("The workbook is damaged: send it whole.")
    with path.open("rb") as file:
        return CalamineWorkbook.from_filelike(file)


def _choose(workbook: CalamineWorkbook, given: Given) -> tuple[str, list[str]]:
    """Return the name of the sheet to read, and those of others that might have been meant."""
    names = workbook.sheet_names
    if given.sheet is not None:
        if given.sheet not in names:
            raise BadInputError(f"There is no sheet {given.sheet!r}: the workbook has {', '.join(names[:50])}.")
        return given.sheet, []
    earlier = given.earlier.get("sheet")
    if earlier in names:
        return str(earlier), []
    filled = [name for name in names if _is_filled(workbook, name)]
    if not filled:
        raise BadInputError("The workbook is empty: no sheet has data.")
    return filled[0], filled[1:]


def _is_filled(workbook: CalamineWorkbook, name: str) -> bool:
    try:
        return bool(workbook.get_sheet_by_name(name).height)
    except CalamineError:  # a chart
        return False


def _check_sheet(path: Path, sheet: str) -> None:
    """Raise BadInputError for formulas that failed, TooLargeError for a sheet that would not fit into memory."""
    with zipfile.ZipFile(path) as packed:
        is_ods = ODS_CONTENT in packed.namelist()
        member = ODS_CONTENT if is_ods else _member(packed, sheet)
        if member is None:
            return
        if packed.getinfo(member).file_size > LARGEST_SHEET:
            raise TooLargeError(
                f"The sheet has more than {LARGEST_SHEET >> 20} MiB of XML: save it as .csv or .parquet."
            )
        letters, last = set[bytes](), 1
        for block in _blocks(packed, member):
            if is_ods:
                if ODS_ERROR.search(block):
                    raise BadInputError(f"Formulas of the workbook failed, for example in sheet {sheet!r}: mend them.")
                continue
            for place, error in ERROR.findall(block):
                if error != NOT_AVAILABLE:
                    raise BadInputError(
                        f"A formula of the sheet {sheet!r} failed: {error.decode(errors='replace')} in"
                        f" {place.decode()}. Mend it, or leave the cell empty."
                    )
            cells = CELL.findall(block)
            letters |= {column for column, _ in cells}
            last = max(last, int(cells[-1][1])) if cells else last
        columns = max(map(_column_number, letters), default=1)
        if columns > MOST_COLUMNS:
            raise too_many_columns_error(columns)
        if columns * last > MOST_CELLS:
            raise TooLargeError(f"The sheet has {columns * last:,} cells: at most {MOST_CELLS:,}. Save it as .csv.")


def _blocks(packed: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """Yield a file in blocks that overlap, so that nothing short is cut in two in all of them."""
    kept = b""
    with packed.open(member) as file:
        while chunk := file.read(CHUNK):
            yield kept + chunk
            kept = chunk[-OVERLAP:]


def _member(packed: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the file of a sheet in an .xlsx."""
    relation = None
    for element in _xml(packed, "xl/workbook.xml"):
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            relation = next((value for key, value in element.items() if key.endswith("}id")), None)
    for element in _xml(packed, "xl/_rels/workbook.xml.rels"):
        if relation is not None and element.get("Id") == relation:
            target = str(element.get("Target"))
            member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return member if member in packed.namelist() else None
    return None


def _xml(packed: zipfile.ZipFile, member: str) -> Iterator[ET.Element]:
    if member not in packed.namelist() or packed.getinfo(member).file_size > LARGEST_INDEX:
        return iter(())
    return ET.fromstring(packed.read(member)).iter()  # noqa: S314 - expat bounds what entities become


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _write(sheet: CalamineSheet, path: Path, rows: array[int]) -> list[str]:
    """Write rows that are not blank, collect their numbers; return the first as the names of the columns."""
    names: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for number, cells in enumerate(sheet.iter_rows() if sheet.height else (), start=1):
            texts = [_text(cell) for cell in cells]
            if not any(texts):
                continue
            writer.writerow(texts)
            if names:
                rows.append(number)
            else:
                names = [text.strip() for text in texts]
                if not any(names):
                    raise BadInputError("The first row of the sheet must name the columns.")
    return names


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else repr(cell)
    if isinstance(cell, timedelta):
        return repr(cell.total_seconds())
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
