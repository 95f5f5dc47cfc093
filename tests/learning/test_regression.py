"""Numbers to predict: every regressor and measure, the same numbers as plain scikit-learn, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeRegressor

from adapters.learning.fitting.fit import train

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
NUMBERS, WORDS, TARGET = ["bill_length_mm", "bill_depth_mm", "year"], ["species", "island", "sex"], "body_mass_g"
SEED = 7
MODELS = [
    "decision-tree-regressor", "extra-trees-regressor", "gradient-boosting-regressor", "k-nearest-regressor",
    "linear-regression", "random-forest-regressor", "ridge", "svm-regressor",
]  # fmt: skip
MEASURES = {
    "r2": metrics.r2_score,
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "median-absolute-error": metrics.median_absolute_error,
    "mape": metrics.mean_absolute_percentage_error,
    "max-error": metrics.max_error,
}
SPECS = [{"name": name, "average": None} for name in MEASURES]


def rows() -> list[dict[str, str]]:
    with PENGUINS.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row[TARGET] != "NA"]


@pytest.fixture(scope="module")
def facts(learning: Any) -> Any:
    """Return a function that gives the facts of a training on the penguins' masses."""
    columns = [*NUMBERS, *WORDS]
    lines = [",".join(row[name] for name in [*columns, TARGET]) for row in rows()]
    learning.add_csv("masses", "\n".join([",".join([*columns, TARGET]), *lines]) + "\n", TARGET)
    return lambda model, **others: learning.facts("masses", model, learning_task="regression", **others)


@pytest.mark.parametrize("model", MODELS)
def test_every_regressor_learns_is_measured_and_is_reproduced_bit_by_bit(learning: Any, facts: Any, model: str) -> None:
    given = facts(model, settings={"C": 1000} if model == "svm-regressor" else {})
    done = learning.done("fit", **given)
    values = learning.score(given, done, SPECS)
    trained = train(given, learning.blobs)
    part = trained.frame.rows(trained.held.test)
    predicted = trained.model.predict(part.features)
    assert values == {name: measure(part.target, predicted) for name, measure in MEASURES.items()}
    assert values["r2"] > 0.6
    assert learning.reproduce(given, done) == {"verdict": "bit-identical", "differences": []}
    learned = done["learned"]
    assert len(json.dumps(learned, allow_nan=False)) <= 2048
    assert not {"classes", "class_count", "positive_class"} & learned.keys()


def test_the_dummy_predicts_the_mean(learning: Any, facts: Any) -> None:
    given = facts("dummy-regressor")
    found = train(given, learning.blobs)
    assert set(found.model.predict(found.frame.features)) == {found.frame.target[found.held.train].mean()}
    assert learning.score(given, learning.done("fit", **given), SPECS)["r2"] < 0.01


def by_hand(model: Any, words: Any, numbers: Any) -> np.ndarray[Any, Any]:
    """Fit plain scikit-learn on the same split; return what it predicts of the held-out rows."""
    table, target = rows(), np.array([float(row[TARGET]) for row in rows()])
    features = pd.DataFrame(
        {name: [float(row[name]) if row[name] != "NA" else np.nan for row in table] for name in NUMBERS}
    )
    for name in WORDS:
        features[name] = pd.Series([row[name] if row[name] != "NA" else None for row in table], dtype=object)
    learned, held = (
        np.sort(part) for part in train_test_split(np.arange(len(table)), test_size=0.25, random_state=SEED)
    )
    fill = SimpleImputer(missing_values=None, strategy="constant", fill_value="(missing)")
    prepare = ColumnTransformer([("words", make_pipeline(fill, words), WORDS), ("numbers", numbers, NUMBERS)])
    fitted = make_pipeline(prepare, model).fit(features.iloc[learned], target[learned])
    predicted: np.ndarray[Any, Any] = fitted.predict(features.iloc[held])
    return predicted


def one_hot(*, sparse: bool) -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=256, sparse_output=sparse)


BY_HAND: dict[str, tuple[str, dict[str, Any], Any]] = {
    "scaled numbers beside one-hot words": (
        "ridge", {},
        lambda: (
            Ridge(random_state=SEED), one_hot(sparse=True),
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        ),
    ),
    "target encoding of whole numbers, which are not classes": (
        "ridge", {"prepare.encode": "target"},
        lambda: (
            Ridge(random_state=SEED),
            make_pipeline(
                TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=SEED)), StandardScaler()
            ),
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        ),
    ),
    "a tree, nothing scaled": (
        "decision-tree-regressor", {},
        lambda: (
            DecisionTreeRegressor(random_state=SEED), one_hot(sparse=True), SimpleImputer(strategy="median")
        ),
    ),
    "boosting groups words and takes missing values by itself": (
        "gradient-boosting-regressor", {},
        lambda: (
            HistGradientBoostingRegressor(random_state=SEED, categorical_features=[0, 1, 2]),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=255),
            "passthrough",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_the_result_is_that_of_a_plain_pipeline_bit_by_bit(learning: Any, facts: Any, case: str) -> None:
    model, settings, parts = BY_HAND[case]
    done = train(facts(model, settings=settings), learning.blobs)
    part = done.frame.rows(done.held.test)
    assert (done.model.predict(part.features) == by_hand(*parts())).all()


def test_the_summary_names_what_weighs_most(learning: Any, facts: Any) -> None:
    weights = dict(learning.done("fit", **facts("linear-regression"))["learned"]["top_coefficients"])
    assert weights["species_Gentoo"] > 0 > weights["sex_female"]
    names = [name for name, _ in learning.done("fit", **facts("random-forest-regressor"))["learned"]["top_features"]]
    assert "species_Gentoo" in names


def test_another_data_set_is_measured_whose_target_is_a_number(learning: Any, facts: Any) -> None:
    given = facts("ridge", columns=["bill_length_mm"])
    done = learning.done("fit", **given)
    learning.add_csv("whole", f"bill_length_mm,{TARGET}\n40,4000\n50,5000\n", "bill_length_mm")
    learning.add_csv("words", f"bill_length_mm,{TARGET}\n40,heavy\n50,light\n", TARGET)
    on = {name: {"name": name, "version": 1, "sha256": learning.stored(name)["blob"]["sha256"]}
          for name in ("whole", "words")}  # fmt: skip
    assert learning.score(given, done, SPECS, on["whole"])["mae@whole"] < 1000
    chosen = given | {"model_blob": done["model_blob"]["sha256"], "on": on["words"], "measures": SPECS}
    assert f"The target '{TARGET}' holds text: a regression needs numbers." in learning.refusal("score", **chosen)


@pytest.mark.parametrize(
    ("target", "others", "sentence"),
    [
        ("1 2 3 4", {"target": "w"}, "The target 'w' holds text: a regression needs numbers."),
        ("5 5 5 5", {"target": "y"}, "The target 'y' has one value only: at least two different numbers are needed."),
        ("1 2  4", {"target": "y"}, "The target 'y' has 1 missing values"),
        ("1 2 3 4", {"target": "y", "test_size": 0.9}, "holds out 4 of 4 rows: at most 3"),
    ],
)
def test_what_cannot_be_predicted_is_refused(learning: Any, target: str, others: dict[str, Any], sentence: str) -> None:
    lines = "".join(f"{i},w{i},{y},{'ab'[i % 2]}\n" for i, y in enumerate(target.split(" ")))
    learning.add_csv("few", "x,w,y,c\n" + lines, "c")
    learning.known.pop("few", None)
    given = learning.facts("few", "dummy-regressor", learning_task="regression", **others)
    assert sentence in learning.refusal("fit", **given)


def test_fractions_are_no_classes(learning: Any) -> None:
    learning.add_csv("fractions", "x,y,c\n" + "".join(f"{i},{i / 3},{'ab'[i % 2]}\n" for i in range(8)), "c")
    sentence = learning.refusal("fit", **learning.facts("fractions", "svm", target="y"))
    assert (
        "holds fractions: it must hold whole numbers, booleans or words, or the model must be a regressor" in sentence
    )


def test_the_figures_that_scikit_learn_publishes_about_diabetes(learning: Any) -> None:
    """Of its example "Ordinary Least Squares": one feature to learn from, the last 20 rows held out."""
    data = load_diabetes(as_frame=True)["frame"]
    learning.add_csv("diabetes", data[:-20].to_csv(index=False), "target")
    learning.add_csv("last", data[-20:].to_csv(index=False), "target")
    last = {"name": "last", "version": 1, "sha256": learning.stored("last")["blob"]["sha256"]}
    split = {"method": "dataset", "column": None, "dataset": last}
    given = learning.facts("diabetes", "linear-regression", learning_task="regression", columns=["bmi"], split=split)
    values = learning.score(given, learning.done("fit", **given), SPECS)
    assert (round(values["rmse"] ** 2, 2), round(values["r2"], 2)) == (2548.07, 0.47)
