"""Tables of text that fit the terminal; own code, as importing tabulate takes half of what a whole query may take."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.cells import cell

GAP = "  "
NARROWEST = 4  # what a column keeps before columns at the right are left out
COLOURS = {"completed": "32", "committed": "32", "failed": "31", "cancelled": "33", "withdrawn": "33", "started": "36"}


@dataclass(frozen=True, slots=True)
class Style:
    """The width to fit (None: any) and whether colours may be used."""

    width: int | None = None
    colours: bool = False

    def painted(self, code: str, text: str) -> str:
        """Return the text in a colour of ECMA-48, where colours may be used."""
        return f"\033[{code}m{text}\033[0m" if self.colours and code else text


def grid(rows: Sequence[dict[str, Any]], style: Style) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and the names of columns that did not fit."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    numeric = [name for name in names if all(isinstance(row.get(name, 0), int | float) for row in rows)]
    cells = [[cell(row[name]) if name in row else "" for name in names] for row in rows]
    widths = [max(map(columns_of, column)) for column in zip(names, *cells, strict=True)]
    kept = _fitted(widths, style.width)
    aligned = [name in numeric for name in names[: len(kept)]]
    head = style.painted("1", _line(names, kept, aligned))
    lines = [_line(row, kept, aligned, style) for row in cells]
    return [head, GAP.join("-" * width for width in kept), *lines], names[len(kept) :]


def pairs(facts: dict[str, Any], style: Style) -> list[str]:
    """Return one line per fact."""
    wide = max(map(columns_of, facts), default=0)
    room = None if style.width is None else max(style.width - wide - len(GAP), NARROWEST)
    shown = [(name, cell(value)) for name, value in facts.items()]
    return [
        style.painted("1", _padded(name, wide)) + GAP + style.painted(COLOURS.get(text, ""), _cut(text, room))
        for name, text in shown
    ]


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _fitted(widths: list[int], width: int | None) -> list[int]:
    """Narrow the widest columns first; where even that is not enough, leave out columns at the right."""
    kept = list(widths)
    while width is not None and sum(kept) + len(GAP) * (len(kept) - 1) > width:
        widest = max(kept)
        if widest > NARROWEST:
            kept[kept.index(widest)] -= 1
        elif len(kept) == 1:
            break
        else:
            kept = widths[: len(kept) - 1]
    return kept


def _line(texts: Sequence[str], widths: list[int], right: list[bool], style: Style | None = None) -> str:
    parts = []
    for text, width, is_number in zip(texts, widths, right, strict=False):
        shown = _padded(_cut(text, width), width, right=is_number)
        parts.append(style.painted(COLOURS.get(text, ""), shown) if style else shown)
    return GAP.join(parts).rstrip()


def _cut(text: str, width: int | None) -> str:
    if width is None or columns_of(text) <= width:
        return text
    while text and columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - columns_of(text))
    return space + text if right else text + space
