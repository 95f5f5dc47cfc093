"""Plots: values in their places, ticks at round numbers, and no value that becomes markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from markupsafe import Markup

from console.axes import Axis, axis_of
from console.plots import (
    Dot,
    Row,
    bar_chart,
    histogram,
    line_plot,
    parallel_coordinates,
    points_of,
    scatter_plot,
)

HOSTILE = "<script>alert(1)</script>\"' onload=x \x1b\u202e" + "w" * 3000
NUMBERS = some.floats(allow_nan=False, allow_infinity=False, width=32) | some.integers(-(10**9), 10**9)


def drawn(plot: Markup, shape: str) -> list[ET.Element]:
    return [it for it in parts_of(plot) if it.tag.rpartition("}")[2] == shape]


def parts_of(plot: Markup) -> list[ET.Element]:
    return list(ET.fromstring(plot).iter())  # noqa: S314 - what the code under test made


def all_kinds(text: str) -> list[Markup]:
    """Return a plot of each kind with this text wherever one can stand."""
    dots, rows = [Dot(1, 2, text, f"/x?{text}")], [Row([1, text], text, f"/x?{text}"), Row([2, None], text)]
    return [
        line_plot(text, (text, text), [(text, [(0, 1), (1, 2)])]),
        scatter_plot(text, (text, text), dots, series=[text]),
        histogram(text, (text, text), [0, 1], [(text, [3])]),
        bar_chart(text, text, [(text, 1)]),
        parallel_coordinates(text, [text, text], rows, series=[text]),
    ]


@pytest.mark.parametrize("plot", all_kinds(HOSTILE))
def test_hostile_texts_stay_texts_and_short(plot: Markup) -> None:
    assert drawn(plot, "script") == []
    assert all("onload" not in it.attrib for it in parts_of(plot))
    assert "style=" not in plot  # the Content-Security-Policy would refuse it
    assert not set("\x1b\u202e") & set(plot)
    texts = [it.text or "" for kind in ("text", "title", "figcaption", "span") for it in drawn(plot, kind)]
    assert texts
    assert max(map(len, texts)) <= 60


@pytest.mark.parametrize(
    "empty",
    [
        lambda: line_plot("t", ("x", "y"), []),
        lambda: scatter_plot("t", ("x", "y"), []),
        lambda: histogram("t", ("x", "y"), [], []),
        lambda: bar_chart("t", "x", []),
        lambda: parallel_coordinates("t", [], []),
        lambda: parallel_coordinates("t", ["a"], [Row([None])]),
    ],
)
def test_without_values_the_frame_is_drawn(empty: Callable[[], Markup]) -> None:
    assert len(drawn(empty(), "svg")) == 1


def test_what_is_no_number_is_left_out() -> None:
    assert points_of([1, None, 3, True, float("nan")], [1, 2, "x", 1, 1]) == [(1, 1)]
    assert len(drawn(scatter_plot("t", ("x", "y"), [Dot(1, 2), Dot(float("inf"), 2)]), "circle")) == 1


def test_bars_have_the_heights_of_their_counts_and_say_them() -> None:
    plot = histogram("t", ("x", "rows"), [0, 1, 2], [("", [4, 2])])
    tall, short = (float(it.attrib["height"]) for it in drawn(plot, "rect"))
    assert tall == pytest.approx(2 * short)
    assert [it.text for it in drawn(plot, "title")] == ["t", "0 to 1: 4", "1 to 2: 2"]


def test_bars_below_zero_end_where_those_above_begin() -> None:
    below, above = drawn(bar_chart("t", "fall", [("a", -1), ("b", 2)]), "rect")
    assert float(below.attrib["x"]) + float(below.attrib["width"]) == pytest.approx(float(above.attrib["x"]))


def test_a_row_without_a_value_has_a_gap_there() -> None:
    rows = [Row([1, 2, None, 3]), Row([2, 3, 4, 5])]
    plot = parallel_coordinates("t", ["a", "b", "c", "d"], rows)
    assert [len(it.attrib["points"].split()) for it in drawn(plot, "polyline")] == [2, 4]
    assert len(drawn(plot, "circle")) == 1


def test_a_plot_with_links_is_no_image_to_a_screen_reader() -> None:
    linked, plain = (scatter_plot("t", ("x", "y"), [Dot(1, 2, "one", link)]) for link in ("/experiments/one", ""))
    assert [drawn(it, "svg")[0].attrib["role"] for it in (linked, plain)] == ["group", "img"]
    assert [it.attrib["href"] for it in drawn(linked, "a")] == ["/experiments/one"]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([0.97, 0.99], ["0.97", "0.975", "0.98", "0.985", "0.99"]),
        ([0.001, 1000], ["0.001", "0.1", "10", "1000"]),
        (["rbf", "linear", True, 1], ["1", "linear", "rbf", "true"]),
        ([5, 5], ["3", "4", "5", "6", "7"]),
    ],
)
def test_ticks_are_round(values: list[Any], ticks: list[str]) -> None:
    axis = axis_of("a", values, 0, 100)
    assert [axis.tick_text(tick) for tick in axis.ticks] == ticks


@given(some.lists(NUMBERS, min_size=1, max_size=20))
def test_every_number_stands_on_its_axis_in_order(values: list[float]) -> None:
    axis: Axis = axis_of("a", values, 0, 100)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    assert len(axis.ticks) <= 12
    assert all(0 <= axis.place(tick) <= 100 for tick in axis.ticks)
