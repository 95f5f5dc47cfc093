"""Tables of text that fit the terminal; own code, as importing tabulate takes half of what a whole query may take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.host.printable import visible

GAP = "  "
NARROWEST, NARROW = 4, 12
NEVER_CUT = {"experiment", "evaluation", "reproduction", "position", "name", "client", "committed", "at"}
NARROWED_FIRST = {"settings", "description", "message", "correlation", "text", "columns", "classes"}
CHARACTERS_PER_COLUMN = 4  # at most: marks without a width could go on for ever
MARKS = {"Mn", "Me"}  # drawn on the character before
COLOURS = {"completed": "32", "committed": "32", "failed": "31", "cancelled": "33", "withdrawn": "33", "started": "36"}
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
SHA256 = re.compile(r"[0-9a-f]{64}")
SHOWN_OF_DIGEST = 12
NO_VALUE = ""  # of a row that has no value in a column
LARGE, EXACT = 1e4, 1e15  # between these, a float is easier to read with all its digits


@dataclass(frozen=True, slots=True)
class Style:
    """The width to fit (None: any) and whether colours may be used."""

    width: int | None = None
    colours: bool = False

    def paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colours and code else text


def format_table(rows: Sequence[dict[str, Any]], style: Style) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and the names of columns that did not fit."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = {name: [format_value(row[name]) if name in row else "" for row in rows] for name in names}
    widths = _fit({name: _widest(name, [visible(name), *texts[name]], style.width) for name in names}, style.width)
    numeric = {name for name in names if all(_is_numeric(row.get(name, NO_VALUE)) for row in rows)}

    def line(cells: Sequence[str], *, coloured: bool) -> str:
        parts = []
        for (name, width), text in zip(widths.items(), cells, strict=True):
            shown = _pad(_cut(text, width), width, right=name in numeric)
            parts.append(style.paint(COLOURS.get(text, ""), shown) if coloured else shown)
        return GAP.join(parts).rstrip()

    head = style.paint("1", line([visible(name) for name in widths], coloured=False))
    rule = GAP.join("-" * width for width in widths.values())
    body = [line(cells, coloured=True) for cells in zip(*(texts[name] for name in widths), strict=True)]
    return [head, rule, *body], [name for name in names if name not in widths]


def _is_numeric(value: Any) -> bool:
    return value == NO_VALUE or isinstance(value, int | float)


def format_facts(facts: dict[str, Any], style: Style) -> list[str]:
    shown = [(visible(name), format_value(value)) for name, value in facts.items()]
    wide = max((display_width(name) for name, _ in shown), default=0)
    room = None if style.width is None else max(style.width - wide - len(GAP), NARROWEST)
    return [
        style.paint("1", _pad(name, wide)) + GAP + style.paint(COLOURS.get(text, ""), _cut(text, room))
        for name, text in shown
    ]


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


def _widest(name: str, texts: Sequence[str], width: int | None) -> int:
    """Return how wide a column would be, at most the whole width: a text of a megabyte is narrowed from there."""
    widest = max(map(display_width, texts))
    return widest if width is None or name in NEVER_CUT else min(widest, width)


def _fit(widths: dict[str, int], width: int | None) -> dict[str, int]:
    """Return the columns that fit, narrowed; those that are never cut are left out last, from the right."""
    kept = dict(widths)
    if width is None:
        return kept

    def excess() -> int:
        return sum(kept.values()) + len(GAP) * (len(kept) - 1) - width

    def narrow(names: list[str], floor: int) -> None:
        while excess() > 0 and names and kept[widest := max(names, key=kept.__getitem__)] > floor:
            kept[widest] -= 1

    narrow([name for name in kept if name in NARROWED_FIRST], NARROW)
    narrow([name for name in kept if name not in NARROWED_FIRST | NEVER_CUT], NARROW)
    for name in [name for name in reversed(kept) if name in NARROWED_FIRST]:
        if excess() > 0:
            del kept[name]
    narrow([name for name in kept if name not in NEVER_CUT], NARROWEST)
    while excess() > 0 and len(kept) > 1:
        kept.popitem()
    return kept


def _cut(text: str, width: int | None) -> str:
    if width is None or (display_width(text) <= width and len(text) <= width * CHARACTERS_PER_COLUMN):
        return text
    room = width - 1
    for place, character in enumerate(text):
        room -= _character_width(character)
        if room < 0 or place == width * CHARACTERS_PER_COLUMN:
            return text[:place] + "…"
    return text + "…"


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space
