"""Tables of text that fit the terminal; own code, as importing tabulate takes half of what a whole query may take."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.host.printable import visible
from cli.cells import cell

GAP = "  "
NARROWEST = 4
WHOLE = {"experiment", "evaluation", "reproduction", "position", "name", "client", "committed", "at"}  # never cut
LOOSE = {"settings", "description", "message", "correlation", "text", "columns", "classes"}  # the first to be narrowed
MOST_OF_A_COLUMN = 4  # characters: marks without a width could go on for ever
MARKS = {"Mn", "Me"}  # drawn on the character before
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
    cells = {name: [cell(row[name]) if name in row else "" for row in rows] for name in names}
    heads = {name: visible(name) for name in names}
    widths = fitted({name: _widest(name, [heads[name], *cells[name]], style.width) for name in names}, style.width)
    aligned = [name in numeric for name in widths]
    columns = list(widths.values())
    head = style.painted("1", _line([heads[name] for name in widths], columns, aligned))
    texts = zip(*(cells[name] for name in widths), strict=True)
    lines = [_line(row, columns, aligned, style) for row in texts]
    return [head, GAP.join("-" * width for width in columns), *lines], [name for name in names if name not in widths]


def pairs(facts: dict[str, Any], style: Style) -> list[str]:
    """Return one line per fact."""
    shown = [(visible(name), cell(value)) for name, value in facts.items()]
    wide = max((columns_of(name) for name, _ in shown), default=0)
    room = None if style.width is None else max(style.width - wide - len(GAP), NARROWEST)
    return [
        style.painted("1", _padded(name, wide)) + GAP + style.painted(COLOURS.get(text, ""), _cut(text, room))
        for name, text in shown
    ]


def _widest(name: str, texts: Sequence[str], width: int | None) -> int:
    """Return how wide a column would be, at most the whole width: a text of a megabyte is narrowed from there."""
    widest = max(map(columns_of, texts))
    return widest if width is None or name in WHOLE else min(widest, width)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of_one, text))


def _columns_of_one(character: str) -> int:
    if unicodedata.category(character) in MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fitted(widths: dict[str, int], width: int | None) -> dict[str, int]:
    """Narrow loose columns, then the widest others; leave out loose ones, then those at the right. Ids stay whole."""
    kept = dict(widths)
    if width is None:
        return kept
    for names, floor in (([n for n in kept if n in LOOSE], 12), ([n for n in kept if n not in LOOSE | WHOLE], 12)):
        _narrow(kept, names, floor, width)
    for name in [n for n in reversed(kept) if n in LOOSE]:
        if _excess(kept, width) > 0:
            del kept[name]
    _narrow(kept, [n for n in kept if n not in WHOLE], NARROWEST, width)
    while _excess(kept, width) > 0 and len(kept) > 1:
        kept.popitem()
    return kept


def _narrow(kept: dict[str, int], names: list[str], floor: int, width: int) -> None:
    while _excess(kept, width) > 0 and names:
        widest = max(names, key=kept.__getitem__)
        if kept[widest] <= floor:
            return
        kept[widest] -= 1


def _excess(kept: dict[str, int], width: int) -> int:
    return sum(kept.values()) + len(GAP) * (len(kept) - 1) - width


def _line(texts: Sequence[str], widths: list[int], right: list[bool], style: Style | None = None) -> str:
    parts = []
    for text, width, is_number in zip(texts, widths, right, strict=False):
        shown = _padded(_cut(text, width), width, right=is_number)
        parts.append(style.painted(COLOURS.get(text, ""), shown) if style else shown)
    return GAP.join(parts).rstrip()


def _cut(text: str, width: int | None) -> str:
    if width is None or (columns_of(text) <= width and len(text) <= width * MOST_OF_A_COLUMN):
        return text
    room = width - 1
    for place, character in enumerate(text):
        room -= _columns_of_one(character)
        if room < 0 or place == width * MOST_OF_A_COLUMN:
            return text[:place] + "…"
    return text + "…"


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - columns_of(text))
    return space + text if right else text + space
