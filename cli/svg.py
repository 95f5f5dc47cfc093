"""Plots as SVG texts: lines, points and bars in a frame with ticks; nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autolearn.html import text_of

WIDTH, HEIGHT = 380, 290
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 42
TICKS = 5
COLOURS = ("#0b6bb5", "#d1570a", "#2b8a3e", "#8a3ab9", "#b0202e", "#6b5b1f", "#0a8f8f", "#555555")
Number = int | float
Points = list[tuple[Number, Number]]


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from low to high, and between which pixels they are drawn."""

    label: str
    low: float
    high: float
    first: float
    last: float

    def place(self, value: Number) -> float:
        span = (self.high - self.low) or 1.0
        return round(self.first + (value - self.low) / span * (self.last - self.first), 1)

    @property
    def ticks(self) -> list[float]:
        return [self.low + (self.high - self.low) * step / TICKS for step in range(TICKS + 1)]


def points_of(x: Sequence[Any], y: Sequence[Any]) -> Points:
    return [(one, other) for one, other in zip(x, y, strict=False) if one is not None and other is not None]


def line_plot(labels: tuple[str, str], lines: Sequence[tuple[str, Points]], *, diagonal: bool) -> str:
    """Draw shares from 0 to 1 against each other, each line in a colour; `diagonal`: what chance would give."""
    x, y = _axes(labels, (0.0, 1.0), (0.0, 1.0))
    drawn = [_path([(0, 0), (1, 1)], x, y, "#999999", dashed=True)] if diagonal else []
    drawn += [_path(points, x, y, _colour(number)) for number, (_, points) in enumerate(lines)]
    return _frame(x, y, drawn) + _legend([name for name, _ in lines])


def point_plot(labels: tuple[str, str], points: Points) -> str:
    """Draw points, and the diagonal on which both values are the same."""
    values = [value for point in points for value in point] or [0.0, 1.0]
    ends = min(values), max(values)
    x, y = _axes(labels, ends, ends)
    dots = [f'<circle cx="{x.place(one)}" cy="{y.place(other)}" r="2" fill="{COLOURS[0]}"/>' for one, other in points]
    return _frame(x, y, [_path([(ends[0], ends[0]), (ends[1], ends[1])], x, y, "#999999", dashed=True), *dots])


def histogram(labels: tuple[str, str], edges: Sequence[Number], series: Sequence[tuple[str, Sequence[Number]]]) -> str:
    """Draw how many values lie between two edges; several series over each other."""
    most = max((count for _, counts in series for count in counts), default=0) or 1
    x, y = _axes(labels, (edges[0], edges[-1]) if edges else (0.0, 1.0), (0.0, most))
    bars = []
    for number, (_, counts) in enumerate(series):
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            left, right, top = x.place(low), x.place(high), y.place(count)
            size = f'width="{max(right - left, 0):.1f}" height="{max(y.first - top, 0):.1f}"'
            bars.append(f'<rect x="{left}" y="{top}" {size} fill="{_colour(number)}" fill-opacity="0.5"/>')
    return _frame(x, y, bars) + _legend([name for name, _ in series])


def _legend(names: Sequence[str]) -> str:
    """Name the colours."""
    marks = (f'<span style="color:{_colour(number)}">■</span> {text_of(name)}' for number, name in enumerate(names))
    return f'<p class="legend">{" &#160; ".join(marks)}</p>' if any(names) else ""


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _axes(labels: tuple[str, str], x: tuple[float, float], y: tuple[float, float]) -> tuple[Axis, Axis]:
    return Axis(labels[0], *x, LEFT, WIDTH - RIGHT), Axis(labels[1], *y, HEIGHT - BOTTOM, TOP)


def _path(points: Points, x: Axis, y: Axis, colour: str, *, dashed: bool = False) -> str:
    places = " ".join(f"{x.place(one)},{y.place(other)}" for one, other in points)
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes}/>'


def _frame(x: Axis, y: Axis, content: Sequence[str]) -> str:
    ticks = [
        f'<text x="{x.place(value)}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{value:.3g}</text>'
        for value in x.ticks
    ]
    ticks += [
        f'<text x="{LEFT - 5}" y="{y.place(value) + 4}" text-anchor="end">{value:.3g}</text>'
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.place(value)}" y2="{y.place(value)}" stroke="#e5e5e5"/>'
        for value in y.ticks
    ]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    names = (
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{text_of(x.label)}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{text_of(y.label)}</text>'
    )
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>{"".join(ticks)}{names}{"".join(content)}</svg>'
