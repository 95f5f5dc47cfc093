"""The curves of a report on a terminal, drawn by plotext."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import plotext

from autolearn.printable import visible
from autolearn.text_table import Style
from autolearn.views import Facts
from autolearn.views.report import Line, curves

COLOURS = (2, 4, 3, 5, 6, 1)  # ECMA-48: green, blue, yellow, magenta, cyan, red
ENCODED = re.compile(r"\x1b\[38;5;([1-6])m")  # as plotext says such a colour
WIDEST, LEAST_WIDTH, HEIGHT = 100, 40, 20
MOST_LINES = len(COLOURS)


def draw_charts(body: Facts, style: Style) -> Iterator[str]:
    """Yield the charts of a report that has them, in the width of the terminal."""
    width = max(LEAST_WIDTH, min(style.width or WIDEST, WIDEST))
    of_classes = ((body.get("curves") or {}).get("of_classes") or [])[:MOST_LINES]
    for title, x, y, lines in curves(of_classes):
        if lines:
            yield _draw(f"{title}: {y} over {x}", lines, width, colours=style.colours)
    if points := body.get("points"):
        lines = [("", points["true"], points["predicted"])]
        yield _draw("Predicted over true", lines, width, colours=style.colours, dots=True)


def _draw(title: str, lines: Sequence[Line], width: int, *, colours: bool, dots: bool = False) -> str:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, HEIGHT)
    plotext.title(visible(title))
    for (name, x, y), colour in zip(lines, COLOURS, strict=False):
        draw = plotext.scatter if dots else plotext.plot
        draw(list(x), list(y), label=visible(name) or None, color=colour, marker="braille" if colours else None)
    text = str(plotext.build())
    return ENCODED.sub("\x1b[3\\1m", text).rstrip() if colours else str(plotext.uncolorize(text)).rstrip()
