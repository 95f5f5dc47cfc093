"""Tables of text that fit the terminal; own code, as importing tabulate takes half of what a whole query may take."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from autolearn.printable import visible

GAP = "  "
NARROWEST, READABLE, NARROW = 4, 8, 12
LINES, HEAD_LINES = 12, 3  # at most: of a wrapped text, of a wrapped head
NEVER_CUT = {"experiment", "evaluation", "reproduction", "position", "name", "client", "committed", "at"}
SENTENCES = {
    "description",
    "text",
    "error",
    "reason",
    "remedy",
    "message",
    "what",
    "detail",
    "accepted",
    "lost",
}  # wrapped, not cut
NARROWED_FIRST = {"settings", "description", "message", "correlation", "text", "columns", "classes", "folds"}
CHARACTERS_PER_COLUMN = 4  # at most: marks without a width could go on for ever
MARKS = {"Mn", "Me"}  # drawn on the character before
COLOURS = {"completed": "32", "committed": "32", "failed": "31", "cancelled": "33", "withdrawn": "33", "started": "36"}
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
SHA256 = re.compile(r"[0-9a-f]{64}")
SHOWN_OF_DIGEST = 12
AFTER_MARK = re.compile(r"(?<=[ :@_./-])")  # where a long name is broken
NO_VALUE = ""  # of a row that has no value in a column
LARGE, EXACT = 1e4, 1e15  # between these, a float is easier to read with all its digits


@dataclass(frozen=True, slots=True)
class Style:
    """The width to fit (None: any) and whether colours may be used."""

    width: int | None = None
    colours: bool = False

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colours and code else text


def text_style() -> Style:
    """Return how to draw without colours: `COLUMNS`, or the terminal's width, or any."""
    import shutil  # noqa: PLC0415 - only for tables

    width = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() or os.environ.get("COLUMNS") else 0
    return Style(width or None)


def format_table(rows: Sequence[dict[str, Any]], style: Style) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and the names of columns that did not fit."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = {name: [format_value(row[name]) if name in row else "" for row in rows] for name in names}
    numeric = {name for name in names if all(_is_numeric(row.get(name, NO_VALUE)) for row in rows)}
    widths = _fit([_Column.of(name, texts[name], style.width, numeric=name in numeric) for name in names], style.width)

    def lines(cells: dict[str, list[str]], paint: Callable[[str, str], str]) -> Iterator[str]:
        for parts in zip_longest(*(cells[name] for name in widths), fillvalue=""):
            padded = (
                paint(part, _pad(part, width, right=name in numeric))
                for (name, width), part in zip(widths.items(), parts, strict=True)
            )
            yield GAP.join(padded).rstrip()

    head = lines({name: _wrap(visible(name), width, HEAD_LINES) for name, width in widths.items()}, lambda _, it: it)
    shown = [style.paint("1", line) for line in head] + [GAP.join("-" * width for width in widths.values())]
    for number in range(len(rows)):
        cells = {
            name: _wrap(texts[name][number], width, LINES if name in SENTENCES else 1) for name, width in widths.items()
        }
        shown += lines(cells, lambda text, it: style.paint(COLOURS.get(text, ""), it))
    return shown, [name for name in names if name not in widths]


def _is_numeric(value: Any) -> bool:
    return value == NO_VALUE or isinstance(value, int | float)


def format_facts(facts: dict[str, Any], style: Style) -> list[str]:
    shown = [(visible(name), format_value(value)) for name, value in facts.items()]
    wide = max((display_width(name) for name, _ in shown), default=0)
    room = None if style.width is None else max(style.width - wide - len(GAP), NARROWEST)
    lines = []
    for name, text in shown:
        first, *others = _wrap(text, room, LINES)
        lines.append(style.paint("1", _pad(name, wide)) + GAP + style.paint(COLOURS.get(text, ""), first))
        lines += [" " * wide + GAP + line for line in others]
    return lines


def format_value(value: Any) -> str:
    """Return a value of JSON as a short text: cut numbers, times to the second, `none`."""
    if isinstance(value, dict):
        return ", ".join(f"{visible(key)}={format_value(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(format_value, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0") if LARGE <= abs(value) < EXACT else f"{value:.4g}"
    text = visible(str(value))
    if match := TIME.fullmatch(text):
        return f"{match[1]} {match[2]}Z"
    return text[:SHOWN_OF_DIGEST] if SHA256.fullmatch(text) else text


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@dataclass(frozen=True, slots=True)
class _Column:
    """How wide a column would be (`widest`), is with its head wrapped, and must be to be read."""

    name: str
    widest: int
    wrapped: int
    least: int

    @classmethod
    def of(cls, name: str, texts: Sequence[str], width: int | None, *, numeric: bool) -> _Column:
        """Measure a column; a text of a megabyte counts as wide as the whole table, and is narrowed from there."""
        most = max(map(display_width, texts), default=0)
        if width is not None and name not in NEVER_CUT:
            most = min(most, width)
        head = visible(name)
        part = max(NARROWEST, *map(display_width, AFTER_MARK.split(head)))
        wrapped = max(most, part)
        least = wrapped if numeric else max(part, min(most, READABLE))  # a cut number would be another number
        return cls(name, max(most, display_width(head)), wrapped, min(least, NARROW))


def _fit(columns: Sequence[_Column], width: int | None) -> dict[str, int]:
    """Return the columns that fit, narrowed; those that are never cut are left out last, from the right."""
    kept = {it.name: it.widest for it in columns}
    if width is None:
        return kept

    def excess() -> int:
        return sum(kept.values()) + len(GAP) * (len(kept) - 1) - width

    def narrow(floors: dict[str, int]) -> None:
        while excess() > 0 and (wide := [name for name, floor in floors.items() if kept.get(name, 0) > floor]):
            kept[max(wide, key=kept.__getitem__)] -= 1

    narrow({it.name: it.wrapped for it in columns})
    narrow({it.name: NARROW for it in columns if it.name in NARROWED_FIRST})
    narrow({it.name: NARROW for it in columns if it.name not in NARROWED_FIRST | NEVER_CUT})
    for name in [name for name in reversed(kept) if name in NARROWED_FIRST]:
        if excess() > 0:
            del kept[name]
    narrow({it.name: it.least for it in columns if it.name not in NEVER_CUT})
    while excess() > 0 and len(kept) > 1:
        kept.popitem()
    return kept


def _wrap(text: str, width: int | None, most: int) -> list[str]:
    """Return a text in lines of a width, at most so many: the last one is cut."""
    if width is None:
        return [text]
    text = text[: (width + 1) * CHARACTERS_PER_COLUMN * most]
    lines: list[str] = []
    while len(lines) < most - 1 and not _fits(text, width):
        place = _break_before(text, _end_of(text, width))
        lines.append(text[:place].rstrip())
        text = text[place:].lstrip()
    return [*lines, text if _fits(text, width) else text[: _end_of(text, width - 1)] + "…"]


def _fits(text: str, width: int) -> bool:
    return len(text) <= width * CHARACTERS_PER_COLUMN and display_width(text) <= width


def _end_of(text: str, width: int) -> int:
    """Return how many characters fit."""
    room = width
    for place, character in enumerate(text):
        room -= _character_width(character)
        if room < 0 or place == width * CHARACTERS_PER_COLUMN:
            return place
    return len(text)


def _break_before(text: str, end: int) -> int:
    """Return where to break a line of at most `end` characters: between words, in a long name, or at its end."""
    if text[end] == " ":
        return end
    if (blank := text.rfind(" ", 1, end)) > 0:
        return blank
    return max((it.start() for it in AFTER_MARK.finditer(text[:end]) if it.start()), default=end)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space
