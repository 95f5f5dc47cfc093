"""The profile of a table: what pandas says of it, at every border, and what of it to look at before training."""

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
from jsonschema import Draft7Validator

from adapters.learning.profiling import columns, profile
from adapters.learning.profiling.suspects import About
from adapters.learning.tables.given import Given, read_given
from adapters.learning.tables.ingest import ingest
from tests.learning.conftest import PENGUINS, Learning
from tests.wire.json_schemas import SCHEMAS

SCHEMA = Draft7Validator(json.loads((SCHEMAS / "dataset-profile.v1.json").read_text(encoding="utf-8")))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(-(10**16), 10**16)


def profile_of(path: Path, target: str = "cls", task: str = "classification", **facts: Any) -> dict[str, Any]:
    """Return the profile of a stored table; it has the documented form."""
    found = profile.make_profile(path, About("mine", target, task, read_given(facts), {}))
    text = json.dumps(found, allow_nan=False)
    SCHEMA.validate(json.loads(text))
    return found


def stored(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "table.parquet"
    pq.write_table(pa.table(table), path, version="2.6", store_schema=False)
    return path


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


# -- suspects --------------------------------------------------------------------------------------------------------


def suspects(path: Path, *args: str, **facts: Any) -> dict[str, tuple[str, str]]:
    """Return kind and columns of each suspect -> reason and remedy."""
    found = profile_of(path, *args, **facts)["suspects"]
    return {" ".join([it["kind"], *it["columns"]]): (it["reason"], it["remedy"]) for it in found}


RANDOM = np.random.default_rng(7)
NOISE = RANDOM.normal(size=400)
WORDS = np.array(["u", "v", "w"])[RANDOM.integers(0, 3, 400)]
CLASSES = RANDOM.permutation(["a"] * 200 + ["b"] * 200)


def beside(folder: Path, **table: Any) -> dict[str, tuple[str, str]]:
    """Return the suspects of a table that has none without these columns."""
    return suspects(stored(folder, {"noise": NOISE, "word": WORDS, "cls": CLASSES} | table))


def test_a_plain_table_has_none(tmp_path: Path) -> None:
    assert beside(tmp_path) == {}


def test_ids(tmp_path: Path) -> None:
    numbers, texts = RANDOM.permutation(400), [f"id-{it}" for it in RANDOM.permutation(400)]
    rare = [f"id-{max(it, 21)}" for it in RANDOM.permutation(400)]  # 379 different
    found = beside(tmp_path, number=numbers, text=texts, rare=rare)
    assert found == {
        "id number": ("has 400 different values in 400 rows", "autolearn train mine MODEL --drop number"),
        "id text": ("has 400 different values in 400 rows", "autolearn train mine MODEL --drop text"),
    }


def test_constants(tmp_path: Path) -> None:
    found = beside(tmp_path, one=[5] * 400, some=[5.0, None] * 200, flag=["yes", None] * 200)
    assert {name: reason for name, (reason, _) in found.items()} == {
        "constant one": "has one value only: 5",
        "constant some": "has one value only beside missing ones: 5.0",
    }


def test_columns_that_tell_the_same(tmp_path: Path) -> None:
    coded = [{"u": 3, "v": 1, "w": 2}[it] for it in WORDS]
    found = beside(tmp_path, coded=coded, again=NOISE, half=NOISE / 2)
    assert set(found) == {"duplicate-column coded word", "duplicate-column again noise"}
    assert found["duplicate-column coded word"][0].startswith("tells the same as 'word'")


def test_a_leak(tmp_path: Path) -> None:
    almost = np.where(RANDOM.random(400) < 0.005, NOISE > 0, CLASSES == "a")
    words = np.where(CLASSES == "a", WORDS, "z")
    limit = np.where(CLASSES == "a", 1, -1) * (0.1 + np.abs(NOISE))
    found = beside(tmp_path, almost=almost, words=words, limit=limit, weak=limit + RANDOM.normal(size=400))
    assert {name for name in found if name.startswith("leak")} == {"leak almost", "leak words", "leak limit"}
    reason, remedy = found["leak limit"]
    assert reason == "alone predicts the target: a small tree finds 100.0 % of a class's rows, by cross-validation"
    assert remedy == "autolearn train mine MODEL --drop limit"


def test_a_leak_of_a_rare_class_and_none_by_always_saying_the_frequent_one(tmp_path: Path) -> None:
    rare = np.array(["no", "yes"])[(np.arange(3000) % 50 == 0).astype(int)]
    table = {
        "x": RANDOM.normal(size=3000),
        "told": np.where(rare == "yes", 7, RANDOM.integers(0, 5, 3000)),
        "cls": rare,
    }
    assert {it for it in suspects(stored(tmp_path, table)) if it.startswith("leak")} == {"leak told"}


def test_texts_in_the_order_of_the_target_are_no_leak(tmp_path: Path) -> None:
    table = {"text": [f"id{place:03}" for place in range(400)], "cls": sorted(CLASSES)}
    assert set(suspects(stored(tmp_path, table))) == {"id text"}


def test_a_leak_of_a_number(tmp_path: Path) -> None:
    table = {"noise": NOISE, "same": 3 * NOISE + 1, "near": NOISE + RANDOM.normal(size=400), "cls": np.exp(NOISE)}
    found = suspects(stored(tmp_path, table), "cls", "regression")
    assert {it for it in found if it.startswith("leak")} == {"leak noise", "leak same"}
    assert "a small tree explains 100.0 % of it" in found["leak same"][0]


def test_numbers_that_a_32_bit_float_cannot_tell_apart(tmp_path: Path) -> None:
    whole = RANDOM.integers(0, 50, 400) + 2**30
    seconds = pa.array(1_700_000_000_000_000 + 1_000_000 * RANDOM.integers(0, 90, 400), pa.timestamp("us"))
    found = beside(tmp_path, whole=whole, seconds=seconds, measured=1e3 + NOISE)
    assert set(found) == {"float32 whole", "float32 seconds"}
    assert found["float32 seconds"][1] == "autolearn train mine MODEL -p prepare.dates=parts"
    assert "to a 32-bit float" in found["float32 whole"][0]


def test_classes_that_are_rare_and_unequal(tmp_path: Path) -> None:
    classes = ["often"] * 300 + ["some"] * 97 + ["few"] * 3
    found = beside(tmp_path, cls=classes)
    assert found == {
        "rare-class cls": ("1 class has fewer than 5 rows: 'few' 3", "autolearn evaluate -m confusion-matrix"),
        "imbalance cls": (
            "75.0 % of the rows are 'often', 3 are 'few'",
            "autolearn train mine MODEL -p class_weight=balanced",
        ),
    }


def test_rows_that_are_there_twice(tmp_path: Path) -> None:
    table = {"x": [*NOISE[:40], *NOISE[:3]], "word": [*WORDS[:40], *WORDS[:3]], "cls": [*CLASSES[:40], *CLASSES[:3]]}
    found = suspects(stored(tmp_path, table))
    assert found["duplicate-rows"][0] == "3 rows are the same as an earlier one in every column"
    table["word"][-1] = "other"
    assert suspects(stored(tmp_path, table))["duplicate-rows"][0].startswith("2 rows")


def test_a_name_is_quoted_as_the_shell_and_the_option_take_it(tmp_path: Path) -> None:
    found = beside(tmp_path, **{"my, 'own' \"x\"": [1] * 400})
    (_, remedy) = next(iter(found.values()))
    assert remedy == """autolearn train mine MODEL --drop '"my, '"'"'own'"'"' ""x""\"'"""


# -- from a file -----------------------------------------------------------------------------------------------------


def of_file(learning: Learning, folder: Path, text: str, kind: str = "csv", **given: Any) -> dict[str, Any]:
    """Return the summary of the profile of an uploaded file."""
    path = folder / "upload"
    path.write_text(text)
    facts = {"name": "mine", "path": str(path), "format": kind, "gzip": False, "target": "cls", "given": given}
    found: dict[str, Any] = ingest(facts, learning.blobs)["profile"]
    return found


def lines(*values: str) -> str:
    return "\n".join(["x,cls", *(f"{value},{'abb'[place % 3]}" for place, value in enumerate(values)), ""])


@pytest.mark.parametrize(
    ("values", "kind", "reason", "remedy"),
    [
        (
            ["1.5", "2", "n.d."] * 20 + ["NA"],
            "nearly-numeric",
            "40 of 60 values are numbers, but not 'n.d.'",
            "--type x=number --missing NA --missing n.d.",
        ),
        (
            ["2024-01-02", "2024-01-03"] * 20 + ["so on"],
            "nearly-date",
            "40 of 41 values are times, but not 'so on'",
            "--type x=time --missing 'so on'",
        ),
    ],
)
def test_columns_that_are_nearly_something_else(
    learning: Learning, tmp_path: Path, values: list[str], kind: str, reason: str, remedy: str
) -> None:
    found = of_file(learning, tmp_path, lines(*values))["suspects"]
    chosen = next(it for it in found if it["kind"] == kind)
    assert (chosen["columns"], chosen["reason"]) == (["x"], reason)
    assert chosen["remedy"] == f"autolearn dataset add FILE --name mine --like mine {remedy}"
    assert [it["kind"] for it in of_file(learning, tmp_path, lines(*values), types={"x": "string"})["suspects"]] == [
        "duplicate-rows"
    ]


@pytest.mark.parametrize("values", [["01", "07", "12"] * 9, ["12345678901234567890123"] * 27, ["10 a", "b"] * 15])
def test_columns_that_are_text_on_purpose(learning: Learning, tmp_path: Path, values: list[str]) -> None:
    found = of_file(learning, tmp_path, lines(*values))["suspects"]
    assert not [it for it in found if it["kind"].startswith("nearly")]


def test_texts_of_parquet_that_are_all_numbers(tmp_path: Path) -> None:
    found = beside(tmp_path, x=[str(it % 50) for it in range(400)])
    assert found["nearly-numeric x"] == (
        "400 of 400 values are numbers",
        "autolearn dataset add FILE --name mine --like mine --type x=number",
    )


def test_with_too_many_other_texts_the_remedy_is_to_drop_the_column(tmp_path: Path) -> None:
    texts = [f"text {it}" if it < 30 else str(it % 70) for it in range(400)]
    assert beside(tmp_path, x=texts)["nearly-numeric x"][1] == "autolearn train mine MODEL --drop x"


def test_the_event_has_the_first_suspects_and_their_number(learning: Learning, tmp_path: Path) -> None:
    names = [f"x{number}" for number in range(30)]
    rows = (",".join([*["1"] * 30, str(it), "ab"[it % 2]]) for it in range(24))
    found = of_file(learning, tmp_path, "\n".join([",".join([*names, "id", "cls"]), *rows, ""]))
    assert (len(found["suspects"]), found["suspects_found"]) == (20, 31)
    assert [it["kind"] for it in found["suspects"][:2]] == ["id", "constant"], "the gravest first"
    with learning.blobs.open(found["blob"]["sha256"]) as file:
        assert len(json.load(file)["suspects"]) == 31


def test_the_same_table_has_the_same_profile(learning: Learning, tmp_path: Path) -> None:
    text = PENGUINS.read_text().replace("species", "cls")
    assert of_file(learning, tmp_path, text) == of_file(learning, tmp_path, text)
    assert Given() == read_given({})
