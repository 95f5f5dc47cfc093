"""What of a table to look at before training: each kind is found, with a remedy, and not where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from adapters.learning.tables.ingest import ingest
from tests.learning.conftest import PENGUINS, Learning
from tests.learning.profiled import profile_of, stored


def suspects(path: Path, *args: str, **facts: Any) -> dict[str, tuple[str, str]]:
    """Return kind and columns of each suspect -> reason and remedy."""
    found = profile_of(path, *args, **facts)["suspects"]
    return {" ".join([it["kind"], *it["columns"]]): (it["reason"], it["remedy"]) for it in found}


FIRST = np.random.default_rng(7)
NOISE = FIRST.normal(size=400)
WORDS = np.array(["u", "v", "w"])[FIRST.integers(0, 3, 400)]
CLASSES = FIRST.permutation(["a"] * 200 + ["b"] * 200)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(8)


def beside(folder: Path, **table: Any) -> dict[str, tuple[str, str]]:
    """Return the suspects of a table that has none without these columns."""
    return suspects(stored(folder, {"noise": NOISE, "word": WORDS, "cls": CLASSES} | table))


def test_a_plain_table_has_none(tmp_path: Path) -> None:
    assert beside(tmp_path) == {}


def test_ids(tmp_path: Path, random: np.random.Generator) -> None:
    numbers, texts = random.permutation(400), [f"id-{it}" for it in random.permutation(400)]
    rare = [f"id-{max(it, 21)}" for it in random.permutation(400)]  # 379 different
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


def test_a_leak(tmp_path: Path, random: np.random.Generator) -> None:
    almost = np.where(random.random(400) < 0.005, NOISE > 0, CLASSES == "a")
    words = np.where(CLASSES == "a", WORDS, "z")
    limit = np.where(CLASSES == "a", 1, -1) * (0.1 + np.abs(NOISE))
    found = beside(tmp_path, almost=almost, words=words, limit=limit, weak=limit + random.normal(size=400))
    assert {name for name in found if name.startswith("leak")} == {"leak almost", "leak words", "leak limit"}
    reason, remedy = found["leak limit"]
    assert reason == "alone predicts the target: a small tree finds 100.0 % of a class's rows, by cross-validation"
    assert remedy == "autolearn train mine MODEL --drop limit"


def test_a_leak_of_a_rare_class_and_none_by_always_saying_the_frequent_one(
    tmp_path: Path, random: np.random.Generator
) -> None:
    rare = np.array(["no", "yes"])[(np.arange(3000) % 50 == 0).astype(int)]
    table = {
        "x": random.normal(size=3000),
        "told": np.where(rare == "yes", 7, random.integers(0, 5, 3000)),
        "cls": rare,
    }
    assert {it for it in suspects(stored(tmp_path, table)) if it.startswith("leak")} == {"leak told"}


def test_texts_in_the_order_of_the_target_are_no_leak(tmp_path: Path) -> None:
    table = {"text": [f"id{place:03}" for place in range(400)], "cls": sorted(CLASSES)}
    assert set(suspects(stored(tmp_path, table))) == {"id text"}


def test_a_leak_of_a_number(tmp_path: Path, random: np.random.Generator) -> None:
    table = {"noise": NOISE, "same": 3 * NOISE + 1, "near": NOISE + random.normal(size=400), "cls": np.exp(NOISE)}
    found = suspects(stored(tmp_path, table), "cls", "regression")
    assert {it for it in found if it.startswith("leak")} == {"leak noise", "leak same"}
    assert "a small tree explains 100.0 % of it" in found["leak same"][0]


def test_numbers_that_a_32_bit_float_cannot_tell_apart(tmp_path: Path, random: np.random.Generator) -> None:
    whole = random.integers(0, 50, 400) + 2**30
    seconds = pa.array(1_700_000_000_000_000 + 1_000_000 * random.integers(0, 90, 400), pa.timestamp("us"))
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


def test_a_long_text_does_not_mean_a_missing_value(tmp_path: Path) -> None:
    texts = ["a long text " * 30 if it % 100 == 0 else str(it % 70) for it in range(400)]
    reason, remedy = beside(tmp_path, x=texts)["nearly-numeric x"]
    assert reason.startswith("396 of 400 values are numbers, but not 'a long text a long")
    assert remedy == "autolearn train mine MODEL --drop x"


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
