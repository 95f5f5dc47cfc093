"""Plots as figures of SVG: lines, dots, bars and parallel coordinates, coloured by classes of the stylesheet.

Their numbers stand in a table nearby. No value becomes markup: texts are escaped, and cut where they would not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from autolearn.html import text_of
from autolearn.printable import visible
from console.axes import Axis, Number, axis_of, is_number

LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 44
LONGEST_LABEL, LONGEST_NAME, LONGEST_TICK = 40, 60, 14  # characters
SERIES = 8  # colours of the stylesheet
APART = 150  # pixels from one of the parallel axes to the next
RADIUS = 3

Points = Sequence[tuple[Number, Number]]


@dataclass(frozen=True, slots=True)
class Size:
    width: int = 370
    height: int = 285


LARGE, SMALL = Size(), Size(280, 180)


@dataclass(frozen=True, slots=True)
class Dot:
    """A place, what it is called, the page about it, and the number of its colour."""

    x: Number
    y: Number
    name: str = ""
    link: str = ""
    series: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line across parallel axes: a number or a word for each, None where it has none."""

    values: Sequence[Any]
    name: str = ""
    link: str = ""
    series: int = 0


def points_of(x: Sequence[Any], y: Sequence[Any]) -> list[tuple[Number, Number]]:
    """Return the pairs in which both are numbers."""
    return [(one, other) for one, other in zip(x, y, strict=False) if is_number(one) and is_number(other)]


def line_plot(
    title: str,
    labels: tuple[str, str],
    lines: Sequence[tuple[str, Points]],
    *,
    shares: bool = False,
    diagonal: bool = False,
    size: Size = LARGE,
) -> Markup:
    """Draw named lines. `shares`: both axes go from 0 to 1; `diagonal`: what chance would give."""
    places = [point for _, points in lines for point in points]
    axes = _shares(labels, size) if shares else _axes(labels, places, size)
    drawn = [_diagonal(axes)] if diagonal else []
    for number, (name, points) in enumerate(lines):
        drawn.append(_named(_line(points, axes, _series(number)), name))
    return _figure(title, _frame(axes, size), drawn, size, [name for name, _ in lines])


def scatter_plot(
    title: str,
    labels: tuple[str, str],
    dots: Sequence[Dot],
    *,
    series: Sequence[str] = (),
    diagonal: bool = False,
    size: Size = LARGE,
) -> Markup:
    """Draw dots; `series` names their colours, `diagonal` is where both values are the same."""
    places = [(it.x, it.y) for it in dots if is_number(it.x) and is_number(it.y)]
    if diagonal:
        places = [(value, value) for place in places for value in place]
    axes = _axes(labels, places, size)
    drawn = [_diagonal(axes)] if diagonal else []
    drawn += [_linked(_dot(it, axes), it.name, it.link) for it in dots if is_number(it.x) and is_number(it.y)]
    return _figure(title, _frame(axes, size), drawn, size, series, is_linked=any(it.link for it in dots))


def histogram(
    title: str,
    labels: tuple[str, str],
    edges: Sequence[Number],
    series: Sequence[tuple[str, Sequence[Number]]],
    *,
    size: Size = LARGE,
) -> Markup:
    """Draw how many values lie between two edges; several series over each other."""
    most = max((count for _, counts in series for count in counts), default=0) or 1
    x = Axis(labels[0], *((edges[0], edges[-1]) if edges else (0.0, 1.0)), LEFT, size.width - RIGHT)
    y = Axis(labels[1], 0, most, size.height - BOTTOM, TOP)
    drawn = []
    for number, (_, counts) in enumerate(series):
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            bar = _bar(x.place(low), y.place(count), x.place(high), y.first, number)
            drawn.append(_named(bar, f"{low:.4g} to {high:.4g}: {count:,}"))
    return _figure(title, _frame((x, y), size), drawn, size, [name for name, _ in series])


def bar_chart(title: str, label: str, bars: Sequence[tuple[str, Number]], *, width: int = LARGE.width) -> Markup:
    """Draw a bar for each name, one below the other; bars below zero go to the left."""
    names, values = [name for name, _ in bars], [value for _, value in bars if is_number(value)]
    size, left = Size(width, TOP + BOTTOM + 22 * max(len(bars), 1)), width // 3
    x = Axis(label, min(0, *values, 0), max(0, *values, 0) or 1, left, size.width - RIGHT)
    zero, drawn = x.place(0), []
    for number, (name, value) in enumerate(bars):
        top = TOP + 22 * number
        drawn.append(_text(left - 6, top + 13, _short(name, LONGEST_TICK), "end"))
        if is_number(value):
            ends = sorted((zero, x.place(value)))
            drawn.append(_named(_bar(ends[0], top + 2, ends[1], top + 17, 0), f"{names[number]}: {value:.4g}"))
    return _figure(title, _bottom(x, size), drawn, size)


def parallel_coordinates(
    title: str, labels: Sequence[str], rows: Sequence[Row], *, series: Sequence[str] = (), height: int = LARGE.height
) -> Markup:
    """Draw a line for each row across one axis for each label; a row without a value has a gap there."""
    size = Size(LEFT * 2 + APART * max(len(labels) - 1, 1), height)
    columns = [[row.values[number] for row in rows] for number in range(len(labels))]
    axes = [axis_of(label, column, height - BOTTOM, TOP) for label, column in zip(labels, columns, strict=True)]
    places = [LEFT + APART * number for number in range(len(labels))]
    above = [part for place, axis in zip(places, axes, strict=True) for part in _upright(place, axis)]
    lines = [
        _linked("".join(_across(row, places, axes)), row.name, row.link)
        for row in rows
        if any(value is not None for value in row.values)
    ]
    return _figure(title, lines, above, size, series, is_linked=any(it.link for it in rows))


# -- shapes ------------------------------------------------------------------------------------------------------------


def _across(row: Row, places: Sequence[float], axes: Sequence[Axis]) -> Iterable[str]:
    """Draw a row: a line from each value to the next, a dot for a value between two gaps."""
    part: list[tuple[float, float]] = []
    for value, x, axis in [*zip(row.values, places, axes, strict=True), (None, 0, None)]:
        height = None if value is None or axis is None else axis.place_of(value)
        if height is not None:
            part.append((x, height))
            continue
        if len(part) == 1:
            yield f'<circle cx="{part[0][0]}" cy="{part[0][1]}" r="{RADIUS}" class="dot {_series(row.series)}"/>'
        elif part:
            yield _polyline(part, f"line {_series(row.series)}")
        part = []


def _upright(place: float, axis: Axis) -> list[str]:
    lines = [f'<line x1="{place}" x2="{place}" y1="{axis.first}" y2="{axis.last}" class="axis"/>']
    lines += [
        _text(place - 5, axis.place(tick) + 4, _short(axis.tick_text(tick), LONGEST_TICK), "end") for tick in axis.ticks
    ]
    label = _text(place, axis.first + 24, _short(axis.label, LONGEST_TICK + 6), "middle")
    return [*lines, _named(label, axis.label)]


def _line(points: Points, axes: tuple[Axis, Axis], series: str) -> str:
    return _polyline([(axes[0].place(x), axes[1].place(y)) for x, y in points], f"line {series}")


def _polyline(places: Iterable[tuple[float, float]], classes: str) -> str:
    return f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}" class="{classes}"/>'


def _diagonal(axes: tuple[Axis, Axis]) -> str:
    x, y = axes
    return f'<line x1="{x.first}" y1="{y.first}" x2="{x.last}" y2="{y.last}" class="chance"/>'


def _dot(it: Dot, axes: tuple[Axis, Axis]) -> str:
    place = f'cx="{axes[0].place(it.x)}" cy="{axes[1].place(it.y)}"'
    return f'<circle {place} r="{RADIUS}" class="dot {_series(it.series)}"/>'


def _bar(left: float, top: float, right: float, bottom: float, number: int) -> str:
    size = f'width="{max(right - left, 0):.1f}" height="{max(bottom - top, 0):.1f}"'
    return f'<rect x="{left}" y="{top}" {size} class="bar {_series(number)}"/>'


def _named(shape: str, name: str) -> str:
    """Give a shape the name that shows when the pointer rests on it."""
    return f"<g><title>{_short(name, LONGEST_NAME)}</title>{shape}</g>" if name else shape


def _linked(shape: str, name: str, link: str) -> str:
    if not link:
        return _named(shape, name)
    called = f'href="{text_of(link)}" aria-label="{_short(name, LONGEST_NAME)}"'
    return f"<a {called}>{_named(shape, name)}</a>"


# -- frames ------------------------------------------------------------------------------------------------------------


def _shares(labels: tuple[str, str], size: Size) -> tuple[Axis, Axis]:
    return Axis(labels[0], 0, 1, LEFT, size.width - RIGHT), Axis(labels[1], 0, 1, size.height - BOTTOM, TOP)


def _axes(labels: tuple[str, str], places: Points, size: Size) -> tuple[Axis, Axis]:
    x = axis_of(labels[0], [place[0] for place in places], LEFT, size.width - RIGHT)
    return x, axis_of(labels[1], [place[1] for place in places], size.height - BOTTOM, TOP)


def _frame(axes: tuple[Axis, Axis], size: Size) -> list[str]:
    x, y = axes
    ends = f'x1="{x.first}" x2="{x.last}"'
    lines = [f'<line {ends} y1="{y.place(tick)}" y2="{y.place(tick)}" class="grid"/>' for tick in y.ticks]
    lines += [_text(x.first - 5, y.place(tick) + 4, _short(y.tick_text(tick), LONGEST_TICK), "end") for tick in y.ticks]
    middle = (TOP + size.height - BOTTOM) / 2
    turned = f' transform="rotate(-90 12 {middle})"'
    return [*lines, *_bottom(x, size), _text(12, middle, _short(y.label, LONGEST_LABEL), "middle", turned)]


def _bottom(x: Axis, size: Size) -> list[str]:
    base = size.height - BOTTOM
    ticks = [_text(x.place(tick), base + 16, _short(x.tick_text(tick), LONGEST_TICK), "middle") for tick in x.ticks]
    label = _text((x.first + x.last) / 2, size.height - 8, _short(x.label, LONGEST_LABEL), "middle")
    return [*ticks, f'<line x1="{x.first}" x2="{x.last}" y1="{base}" y2="{base}" class="axis"/>', label]


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{text}</text>'


def _figure(
    title: str,
    frame: Iterable[str],
    drawn: Iterable[str],
    size: Size,
    series: Sequence[str] = (),
    *,
    is_linked: bool = False,
) -> Markup:
    """Return the figure; one with links is a group, because an image hides its parts from a screen reader."""
    named, role = _short(title, LONGEST_NAME), "group" if is_linked else "img"
    box = f'class="plot" role="{role}" viewBox="0 0 {size.width} {size.height}" width="{size.width}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {box} height="{size.height}"><title>{named}</title>'
    content = f"{''.join(frame)}{''.join(drawn)}</svg>{_legend(series)}"
    return Markup(f"<figure><figcaption>{named}</figcaption>{svg}{content}</figure>")  # noqa: S704 - all is escaped


def _legend(names: Sequence[str]) -> str:
    """Name the colours."""
    named = [
        f'<span class="{_series(number)}">{_short(name, LONGEST_NAME)}</span>'
        for number, name in enumerate(names)
        if name
    ]
    return f'<p class="legend">{" ".join(named)}</p>' if named else ""


def _series(number: int) -> str:
    return f"series-{number % SERIES + 1}"


def _short(text: str, longest: int) -> str:
    shown = visible(text)
    return text_of(shown if len(shown) <= longest else f"{shown[: longest - 1]}…")
