"""New rows are read as the training's were, and predicted as its pipeline does; what it cannot use is told by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.learning.fitting.fit import find_model
from adapters.learning.fitting.model_file import load_model
from adapters.learning.preparation.frame import read_for_training
from commands.catalog.register_dataset import decisions_of
from domain.dataset import DatasetContent
from tests.learning.conftest import PENGUINS, Learning

ROWS = 60
MIXED = pd.DataFrame(
    {
        "amount": [f"{number * 1000 + 0.5:,.1f}".translate(str.maketrans(",.", ".,")) for number in range(ROWS)],
        "day": [f"{number % 28 + 1:02}.05.2024" for number in range(ROWS)],
        "on": [number % 3 == 0 for number in range(ROWS)],
        "code": [number % 7 for number in range(ROWS)],
        "word": ["ab"[number % 2] if number else None for number in range(ROWS)],
        "class": ["yes" if number > 25 else "no" for number in range(ROWS)],
    }
)


class Trained:
    """A fitted model of a table, and the predict task on it."""

    def __init__(self, learning: Learning, folder: Path, table: Path, target: str, model: str, **settings: Any) -> None:
        self.learning, self.folder = learning, folder
        task = "regression" if target == "length" else "classification"
        given = {"path": str(table), "format": "csv", "gzip": False, "target": target, "given": {"task": task}}
        self.content = DatasetContent.model_validate(learning.done("ingest", **given) | {"target": target})
        self.facts = learning.facts("iris", model, target=target, settings=settings, learning_task=task)
        self.facts["dataset"]["sha256"] = self.content.blob.sha256
        self.done = learning.done("fit", **self.facts)

    @property
    def asked(self) -> dict[str, Any]:
        content, target = self.content, self.content.target
        return self.facts | {
            "model_blob": self.done["model_blob"]["sha256"],
            "types": {name: kind for name, kind in content.columns.items() if name != target},
            "given": decisions_of(content, target, {}),
            "asked": {"format": "csv", "probabilities": False, "kept": False},
        }

    def file(self, frame: pd.DataFrame, form: str = "csv") -> Path:
        path = self.folder / f"new.{form}"
        if form == "csv":
            frame.to_csv(path, index=False, sep=";", na_rep="")
        else:
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
        return path

    def of_file(self, path: Path, form: str = "csv", **asked: Any) -> tuple[dict[str, Any], pd.DataFrame]:
        out = self.folder / "answer"
        out.write_bytes(b"")
        facts = {"path": str(path), "format": form, "gzip": False, "out": str(out)}
        done = self.learning.done("predict", **self.asked | facts | {"asked": self.asked["asked"] | asked})
        if asked.get("format") == "parquet":
            return done, pq.read_table(out).to_pandas()
        return done, pd.read_csv(out, keep_default_na=False)

    def refused(self, path: Path, form: str = "csv") -> str:
        facts = {"path": str(path), "format": form, "gzip": False, "out": str(self.folder / "answer")}
        return self.learning.refusal("predict", **self.asked | facts)

    def of_row(self, row: Any, **asked: Any) -> dict[str, Any]:
        return self.learning.done("predict", **self.asked | {"row": row, "asked": self.asked["asked"] | asked})

    def own(self) -> Any:
        """Return what the pipeline says of the rows of its data set."""
        with self.learning.blobs.open(self.content.blob.sha256) as file:
            features = read_for_training(file, self.facts).features
        return load_model(self.learning.blobs, self.asked["model_blob"], find_model(self.facts)).predict(features)


@pytest.fixture(scope="module")
def penguins(learning: Learning, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(learning, tmp_path_factory.mktemp("penguins"), PENGUINS, "species", "random-forest")


@pytest.fixture(scope="module", params=["number", "parts"])
def mixed(learning: Learning, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Trained:
    folder = tmp_path_factory.mktemp("mixed")
    MIXED.to_csv(folder / "mixed.csv", index=False, sep=";")
    settings = {"prepare.dates": request.param, "max_depth": 6}
    return Trained(learning, folder, folder / "mixed.csv", "class", "decision-tree", **settings)


def test_columns_in_any_order_and_without_the_target_are_predicted_as_the_pipeline_does(penguins: Trained) -> None:
    frame = pd.read_csv(PENGUINS, keep_default_na=False, dtype=str)
    shuffled = frame[sorted(frame.columns, reverse=True)].drop(columns="species").assign(remark="x")
    done, answer = penguins.of_file(penguins.file(shuffled))
    assert list(answer.prediction) == list(penguins.own())
    assert list(answer.columns) == ["prediction", "unseen_words", "beyond_range"]
    assert done["notes"] == ["Columns that the model does not use were ignored: remark."]
    assert (done["rows"], done["missing"], done["unseen"]) == (344, 19, 0)
    assert done["classes"] == answer.prediction.value_counts().to_dict()


def test_a_file_is_read_by_the_decisions_of_the_data_set(mixed: Trained) -> None:
    assert mixed.content.columns == {
        "amount": "number", "day": "time", "on": "boolean", "code": "integer", "word": "string", "class": "string",
    }  # fmt: skip
    few = MIXED.iloc[:3].assign(amount=["1.000", "2,5", "999"])  # alone they would be read otherwise
    _, whole = mixed.of_file(mixed.file(MIXED))
    done, _ = mixed.of_file(mixed.file(few))
    assert list(whole.prediction) == list(mixed.own())
    assert done["beyond"] == 0


def test_a_parquet_file_has_its_own_types(mixed: Trained) -> None:
    typed = MIXED.assign(
        amount=[number * 1000 + 0.5 for number in range(ROWS)],
        day=pd.to_datetime(MIXED.day, format="%d.%m.%Y"),
        on=MIXED.on.astype(int),
        code=MIXED.code.astype(float),
    )
    _, answer = mixed.of_file(mixed.file(typed, "parquet"), "parquet")
    assert list(answer.prediction) == list(mixed.own())


def test_what_the_model_cannot_use_is_told_by_row(penguins: Trained) -> None:
    frame = pd.read_csv(PENGUINS).iloc[:3]
    frame.loc[frame.index[1], ["island", "sex"]] = ["Mars", "unknown"]
    frame.loc[frame.index[2], "bill_depth_mm"] = 1e6
    done, answer = penguins.of_file(penguins.file(frame))
    assert list(answer.unseen_words) == ["", "island; sex", ""]
    assert list(answer.beyond_range) == ["", "", "bill_depth_mm"]
    assert (done["unseen"], done["beyond"]) == (2, 1)


def test_probabilities_have_a_column_for_each_class_and_parquet_says_the_same(penguins: Trained) -> None:
    csv = penguins.of_file(PENGUINS, probabilities=True)[1]
    parquet = penguins.of_file(PENGUINS, probabilities=True, format="parquet")[1]
    names = [f"probability_{name}" for name in ("Adelie", "Chinstrap", "Gentoo")]
    assert np.allclose(csv[names].sum(axis=1), 1)
    assert (csv[[*names, "prediction"]].to_numpy() == parquet[[*names, "prediction"]].to_numpy()).all()


def test_one_row_is_answered_as_in_a_table(penguins: Trained) -> None:
    frame = pd.read_csv(PENGUINS)
    _, answer = penguins.of_file(PENGUINS, probabilities=True)
    for place in (0, 3, 340):
        row = frame.iloc[place].drop("species")
        plain = {name: None if pd.isna(it) else it.item() if hasattr(it, "item") else it for name, it in row.items()}
        got = penguins.of_row(plain, probabilities=True)["row"]
        assert got["prediction"] == answer.prediction[place]
        assert got["probabilities"]["Gentoo"] == answer.probability_Gentoo[place]


def test_values_of_a_row_may_be_text_as_in_the_file(mixed: Trained) -> None:
    texts = {"amount": "1.000,5", "day": "02.05.2024", "on": "false", "code": "1", "word": "b"}
    plain = texts | {"amount": 1000.5, "on": False, "code": 1}
    assert mixed.of_row(texts)["row"] == mixed.of_row(plain)["row"]
    assert mixed.of_row(texts | {"amount": "1.000.000"})["row"]["beyond_range"] == ["amount"]


ISLAND = {"island": "Dream", "bill_length_mm": 39, "bill_depth_mm": 18, "flipper_length_mm": 181, "body_mass_g": None,
          "sex": "male", "year": 2007}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1], "The row is no JSON object"),
        (None, "The row is no JSON object"),
        ({"island": "Dream"}, "Columns that the model was trained on are missing: bill_length_mm, bill_depth_mm"),
        (ISLAND | {"colour": "red"}, "The model does not know colour. It takes island, bill_length_mm"),
        (ISLAND | {"island": ["Dream"]}, "The values of island are lists or objects"),
        (ISLAND | {"bill_depth_mm": "long"}, "Column 'bill_depth_mm' is to hold numbers"),
        (ISLAND | {"year": 10**30}, "A number of the row is beyond 64 bits"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(penguins: Trained, row: Any, said: str) -> None:
    assert said in penguins.learning.refusal("predict", **penguins.asked | {"row": row})


def test_a_table_that_does_not_fit_is_refused(penguins: Trained) -> None:
    frame = pd.read_csv(PENGUINS)
    lacking = penguins.refused(penguins.file(frame.drop(columns=["sex", "year"])))
    assert lacking == "Columns that the model was trained on are missing: sex, year."
    texts = frame.astype({"year": str}).assign(year="long ago")
    said = penguins.refused(penguins.file(texts))
    assert said.startswith("Column 'year' is to hold numbers")
    assert said.endswith("The model learned from such values alone.")
    assert ".." not in said
    assert "has no rows" in penguins.refused(penguins.file(frame.iloc[:0]))
    assert "has no rows" in penguins.refused(penguins.file(frame.iloc[:0], "parquet"), "parquet")


def test_no_probabilities_are_made_up(learning: Learning, tmp_path: Path) -> None:
    svm = Trained(learning, tmp_path, PENGUINS, "species", "svm")
    asked = svm.asked | {"row": ISLAND, "asked": svm.asked["asked"] | {"probabilities": True}}
    assert learning.refusal("predict", **asked) == "The model svm gives no probabilities: leave them out."


def test_what_is_kept_are_the_bytes_that_came_and_went(penguins: Trained) -> None:
    done, _ = penguins.of_file(PENGUINS, kept=True)
    with penguins.learning.blobs.open(done["input"]["sha256"]) as file:
        assert file.read() == PENGUINS.read_bytes()
    with penguins.learning.blobs.open(done["output"]["sha256"]) as file:
        assert file.read().startswith(b"prediction,")


def test_a_regression_predicts_numbers_and_tells_their_range(learning: Learning, tmp_path: Path) -> None:
    table = tmp_path / "lengths.csv"
    frame = pd.DataFrame({"age": range(40), "kind": list("ab") * 20, "length": [2.5 * age + 1 for age in range(40)]})
    frame.to_csv(table, index=False)
    lengths = Trained(learning, tmp_path, table, "length", "linear-regression")
    done, answer = lengths.of_file(table)
    assert list(answer.prediction) == list(lengths.own())
    assert done["classes"] == {}
    assert done["numbers"]["least"] == answer.prediction.min()
    assert done["numbers"]["mean"] == pytest.approx(answer.prediction.mean())
    assert lengths.of_row({"age": 100, "kind": "c"})["row"] == {
        "prediction": pytest.approx(251, abs=2),
        "probabilities": {},
        "unseen_words": ["kind"],
        "beyond_range": ["age"],
    }
    asked = lengths.asked | {"row": {"age": 1, "kind": "a"}, "asked": lengths.asked["asked"] | {"probabilities": True}}
    assert "gives no probabilities" in learning.refusal("predict", **asked)
