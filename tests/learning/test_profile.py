"""The profile of a table: what pandas says of it, and what is right at every border."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.learning.profiling import columns, profile
from tests.learning.conftest import PENGUINS, Learning
from tests.learning.profiled import profile_of, stored

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(-(10**16), 10**16)


def columns_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {it["name"]: it for it in found["columns"]}


def two_classes(rows: int) -> list[str]:
    return ["ab"[place % 2] for place in range(rows)]


def column_of(folder: Path, values: list[Any], kind: pa.DataType) -> dict[str, Any]:
    table = {"x": pa.array(values, kind), "cls": two_classes(len(values))}
    return columns_of(profile_of(stored(folder, table)))["x"]


# -- beside pandas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "values"), [(pa.float64(), FLOATS), (pa.int64(), WHOLE)])
@given(st.data())
def test_numbers_are_described_as_pandas_does(
    tmp_path_factory: pytest.TempPathFactory, kind: pa.DataType, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    some = data.draw(st.lists(st.one_of(st.none(), values), min_size=1, max_size=60))
    found = column_of(tmp_path_factory.mktemp("table"), some, kind)
    series = pd.Series([it for it in some if it is not None], dtype="float64")
    assert (found["missing"], found["distinct"]) == (some.count(None), len({it for it in some if it is not None}))
    if series.empty:
        assert found["least"] is found["mean"] is found["histogram"] is None
        return
    assert (found["least"], found["greatest"]) == (min(it for it in some if it is not None), series.max())
    scale = float(series.abs().max())
    for name, share in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75)):
        wanted = float(np.quantile(series / (scale or 1), share)) * (scale or 1)
        assert math.isclose(found[name], wanted, rel_tol=1e-9, abs_tol=1e-9 * scale), name
    mean = float((series / (scale or 1)).mean()) * (scale or 1)
    assert math.isclose(found["mean"], mean, rel_tol=1e-9, abs_tol=1e-9 * scale)
    if len(series) > 1:
        spread = float((series / (scale or 1)).std()) * (scale or 1)
        assert found["spread"] is None or math.isclose(found["spread"], spread, rel_tol=1e-6, abs_tol=1e-9 * scale)
    else:
        assert found["spread"] is None
    if found["histogram"] is not None:
        assert sum(found["histogram"]) == len(series)
        assert found["histogram"][0] > 0
        assert found["histogram"][-1] > 0


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=200).filter(lambda it: len(set(it)) > 1))
def test_a_histogram_has_twenty_bins_of_equal_width(
    tmp_path_factory: pytest.TempPathFactory, values: list[int]
) -> None:
    found = column_of(tmp_path_factory.mktemp("table"), values, pa.int64())
    least, greatest = min(values), max(values)
    places = Counter(min((value - least) * 20 // (greatest - least), 19) for value in values)
    beside = [sum(found["histogram"][: place + 1]) - sum(places[it] for it in range(place + 1)) for place in range(20)]
    edges = Counter(
        place for place in range(20) for value in values if (value - least) * 20 == place * (greatest - least)
    )
    assert all(abs(difference) <= edges[place + 1] for place, difference in enumerate(beside)), "but for their edges"


@pytest.mark.parametrize(
    "values", [[*range(1, 7)], [*range(0, 101, 5)], [*range(-3, 8)], [it / 10 for it in range(11)], [0.1, 0.7, 5.3]]
)
def test_a_value_on_an_edge_is_in_the_bin_that_numpy_puts_it(tmp_path: Path, values: list[float]) -> None:
    found = column_of(tmp_path, values, pa.array(values).type)
    assert found["histogram"] == np.histogram(values, bins=20)[0].tolist()


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ä", "", "a "]), st.text(max_size=5)), min_size=1))
def test_texts_are_counted_as_pandas_does(tmp_path_factory: pytest.TempPathFactory, values: list[str | None]) -> None:
    found = column_of(tmp_path_factory.mktemp("table"), values, pa.string())
    counts = pd.Series(values, dtype=object).value_counts()
    assert (found["missing"], found["distinct"]) == (values.count(None), len(counts))
    assert [it["count"] for it in found["frequent"]] == counts.tolist()[:10]
    assert all(counts[it["value"]] == it["count"] for it in found["frequent"])


@given(st.lists(st.one_of(st.none(), TIMES), min_size=1, max_size=50))
def test_times_are_described_in_iso_8601(tmp_path_factory: pytest.TempPathFactory, values: list[int | None]) -> None:
    found = column_of(tmp_path_factory.mktemp("table"), values, pa.timestamp("us"))
    series = pd.Series(values, dtype="Int64").dropna().astype("int64").astype("datetime64[us]")
    if series.empty:
        assert found["median"] is None
        return
    assert [pd.Timestamp(found[key]) for key in ("least", "greatest")] == [series.min(), series.max()]
    assert abs(pd.Timestamp(found["mean"]) - series.mean()) <= pd.Timedelta(microseconds=10)
    if len(series) > 1:
        assert math.isclose(found["spread"], series.astype("int64").std() / 1e6, rel_tol=1e-6, abs_tol=1e-5)


def test_a_real_table_is_described_as_pandas_does(learning: Learning) -> None:
    with learning.blobs.open(learning.stored("penguins")["profile"]["blob"]["sha256"]) as file:
        found = columns_of(json.load(file))
    wanted = pd.read_csv(PENGUINS).describe()
    keys = {
        "mean": "mean",
        "std": "spread",
        "min": "least",
        "25%": "lower_quartile",
        "50%": "median",
        "max": "greatest",
    }
    for name in wanted.columns:
        for row, key in keys.items():
            assert found[name][key] == pytest.approx(wanted[name][row]), (name, key)
    assert found["sex"]["frequent"] == [{"value": "male", "count": 168}, {"value": "female", "count": 165}]


# -- borders ---------------------------------------------------------------------------------------------------------


def test_one_row(tmp_path: Path) -> None:
    found = profile_of(stored(tmp_path, {"x": [1.5], "word": ["a"], "cls": [3.0]}), task="regression")
    assert (found["rows"], found["classes"], found["first_rows"]) == (1, {}, [[1.5, "a", 3.0]])
    assert [it["kind"] for it in found["suspects"]] == ["constant", "constant"]
    x = columns_of(found)["x"]
    assert (x["median"], x["spread"], x["histogram"]) == (1.5, None, None)


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.bool_(), pa.string(), pa.timestamp("us")])
def test_a_column_without_values(tmp_path: Path, kind: pa.DataType) -> None:
    path = stored(tmp_path, {"x": pa.nulls(30, kind), "cls": two_classes(30)})
    found = profile_of(path)
    assert (columns_of(found)["x"]["missing"], columns_of(found)["x"]["distinct"]) == (30, 0)
    assert ("constant", "has no values") in [(it["kind"], it["reason"]) for it in found["suspects"]]


def test_a_thousand_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "READ_VALUES", 64 * 60)  # some columns at a time
    random = np.random.default_rng(1)
    found = profile_of(stored(tmp_path, {f"x{n}": random.random(60) for n in range(1000)} | {"cls": two_classes(60)}))
    assert [it["name"] for it in found["columns"]] == [*(f"x{n}" for n in range(1000)), "cls"]
    assert len(found["first_rows"]) == 19
    assert found["suspects"] == []


def test_huge_texts_are_told_apart_and_cut(tmp_path: Path) -> None:
    huge = "x" * 1_000_000
    texts = [f"{huge}{place % 3}" for place in range(12)]
    found = profile_of(stored(tmp_path, {"text": texts, "cls": two_classes(12)}))
    text = columns_of(found)["text"]
    assert (text["distinct"], text["frequent"][0]) == (3, {"value": f"{'x' * 100}…", "count": 4})
    assert found["first_rows"][0][0] == f"{'x' * 100}…"
    assert len(json.dumps(found)) < 10_000


def test_of_a_long_table_some_rows_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "MOST_ROWS", 100)
    path = tmp_path / "table.parquet"
    words = ["even" if place % 2 == 0 else f"odd{place}" for place in range(250)]
    pq.write_table(pa.table({"x": range(250), "word": words, "cls": two_classes(250)}), path, row_group_size=37)
    found = profile_of(path, "x", "regression")
    assert (found["rows"], found["rows_profiled"]) == (250, 84)
    by_name = columns_of(found)
    assert (by_name["x"]["least"], by_name["x"]["greatest"], by_name["x"]["distinct"]) == (0, 249, 84)
    assert (by_name["word"]["frequent"][0], by_name["word"]["distinct"]) == ({"value": "even", "count": 42}, 43)


def test_zero_is_one_value_whatever_its_sign(tmp_path: Path) -> None:
    assert column_of(tmp_path, [0.0, -0.0], pa.float64())["distinct"] == 1
