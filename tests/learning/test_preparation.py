"""Preparation: the same numbers as a pipeline written by hand, and no column that spoils the others."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from adapters.learning.fitting.fit import train
from adapters.learning.preparation.frame import Frame
from adapters.learning.preparation.pipeline import build_pipeline
from adapters.learning.preparation.settings import complete_preparation, preparation_settings

TABLES = Path(__file__).parents[1] / "tables"
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
WORDS = ["island", "sex"]
SEED = 7


def use(learning: Any, name: str, target: str = "cls") -> str:
    learning.add_csv(name, (TABLES / f"{name}.csv").read_text(), target)
    return name


def score(learning: Any, name: str, model: str, *measures: str, **facts: Any) -> dict[str, Any]:
    given = learning.facts(name, model, **facts)
    specs = [dict(zip(("name", "average"), [*measure.split(":"), None], strict=False)) for measure in measures]
    found: dict[str, Any] = learning.score(given, learning.done("fit", **given), specs)
    return found


def by_hand(model: Any, words: Any, numbers: Any, *more: Any) -> tuple[Pipeline, pd.DataFrame, list[str]]:
    """Fit plain scikit-learn on the same split of penguins; return it, and the held-out rows with their classes."""
    with PENGUINS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    features = pd.DataFrame({name: [float(row[name]) if row[name] not in ("", "NA") else np.nan for row in rows]
                             for name in NUMBERS})  # fmt: skip
    for name in WORDS:
        features[name] = pd.Series([row[name] if row[name] not in ("", "NA") else np.nan for row in rows], dtype=object)
    target = np.array([row["species"] for row in rows])
    train_rows, test = (
        np.sort(part)
        for part in train_test_split(np.arange(len(rows)), test_size=0.25, random_state=SEED, stratify=target)
    )
    prepare = ColumnTransformer([("words", words, WORDS), ("numbers", numbers, NUMBERS), *more])
    fitted = make_pipeline(prepare, model).fit(features.iloc[train_rows], target[train_rows])
    return fitted, features.iloc[test], list(target[test])


def fill_words() -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value="(missing)")


def one_hot(*, sparse: bool, most: int) -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=most, sparse_output=sparse)
    return make_pipeline(fill_words(), encoder)


def median(*more: Any) -> Pipeline:
    return make_pipeline(SimpleImputer(strategy="median"), *more)


BY_HAND: dict[str, tuple[str, dict[str, Any], Any]] = {
    "scaled numbers beside one-hot words": (
        "logistic-regression", {},
        lambda: (LogisticRegression(random_state=SEED), one_hot(sparse=True, most=256), median(StandardScaler())),
    ),
    "robust scale, ordinal words": (
        "svm", {"prepare.scale": "robust", "prepare.encode": "ordinal"},
        lambda: (
            SVC(random_state=SEED),
            make_pipeline(
                fill_words(),
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=256),
                RobustScaler(),
            ),
            median(RobustScaler()),
        ),
    ),
    "target encoding, mean, flags": (
        "logistic-regression",
        {"prepare.encode": "target", "prepare.missing": "mean", "prepare.missing-flag": True},
        lambda: (
            LogisticRegression(random_state=SEED),
            make_pipeline(
                fill_words(),
                TargetEncoder(cv=StratifiedKFold(5, shuffle=True, random_state=SEED)),
                StandardScaler(),
            ),
            make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()),
            ("flags", MissingIndicator(sparse=False, error_on_new=False), NUMBERS),
        ),
    ),
    "a tree on missing values as they are": (
        "decision-tree", {"prepare.missing": "native", "prepare.rare": 2},
        lambda: (DecisionTreeClassifier(random_state=SEED), one_hot(sparse=False, most=2), "passthrough"),
    ),
    "naive Bayes on dense columns": (
        "naive-bayes", {}, lambda: (GaussianNB(), one_hot(sparse=False, most=32), median())
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_the_result_is_that_of_a_plain_pipeline_bit_by_bit(learning: Any, case: str) -> None:
    model, settings, parts = BY_HAND[case]
    done = train(learning.facts("penguins", model, settings=settings), learning.blobs)
    expected, held, classes = by_hand(*parts())
    part = done.frame.rows(done.held.test)
    assert list(part.target) == classes
    method = "predict_proba" if hasattr(expected, "predict_proba") else "decision_function"
    assert (getattr(done.model, method)(part.features) == getattr(expected, method)(held)).all()


def test_gradient_boosting_groups_words_and_takes_missing_values_by_itself(learning: Any) -> None:
    with_words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=255)
    expected, held, _ = by_hand(
        HistGradientBoostingClassifier(random_state=SEED, categorical_features=[0, 1]),
        make_pipeline(fill_words(), with_words),
        "passthrough",
    )
    frame = train(learning.facts("penguins", "decision-tree"), learning.blobs)
    part = frame.frame.rows(frame.held.train)
    model = build_pipeline(HistGradientBoostingClassifier(random_state=SEED), part, {}, SEED)
    model.fit(part.features, part.target)
    assert (model.predict_proba(held) == expected.predict_proba(held)).all()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("nb-time", "naive-bayes"),
        ("tree-seconds", "decision-tree"),
        ("tree-seconds", "random-forest"),
        *(("huge-numbers", model) for model in ("logistic-regression", "decision-tree", "svm", "naive-bayes")),
        *(("collide-two-text", model) for model in ("logistic-regression", "random-forest", "naive-bayes")),
    ],
)
def test_no_column_drowns_or_merges_what_tells_the_classes_apart(learning: Any, name: str, model: str) -> None:
    assert score(learning, use(learning, name), model, "recall:macro") == {"recall:macro": 1.0}


def test_columns_that_words_make_never_share_a_name(learning: Any) -> None:
    for name, target in (("collide-dummies", "sick"), ("collide-two-text", "cls")):
        done = train(learning.facts(use(learning, name, target), "decision-tree"), learning.blobs)
        assert done.model.predict(done.frame.features).shape == done.frame.target.shape
    fitted = learning.done("fit", **learning.facts("collide-two-text", "random-forest"))["learned"]
    names = [name for name, _ in fitted["top_features"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["iris", "ovo-four-classes"])
def test_an_svm_that_decides_between_pairs_is_scored_by_class(learning: Any, name: str) -> None:
    if name != "iris":
        use(learning, name)
    values = [
        score(learning, name, "svm", "roc-auc:macro", settings={"decision_function_shape": shape})
        for shape in ("ovo", "ovr")
    ]
    assert values[0] == values[1]
    assert values[0]["roc-auc:macro"] > 0.9


def test_a_class_of_one_row_is_learned_from_and_never_held_out(learning: Any) -> None:
    done = train(learning.facts(use(learning, "rare"), "decision-tree"), learning.blobs)
    assert "rare" in done.frame.target[done.held.train]
    assert "rare" not in done.frame.target[done.held.test]


def test_whole_numbers_that_would_merge_are_refused_and_large_ones_that_do_not_are_taken(learning: Any) -> None:
    for step, sentence in ((1, "Column 'id' has whole numbers beyond 2^53"), (2**12, "")):
        rows = "".join(f"{2**60 + i * step},{i % 7},{'ab'[i > 20]}\n" for i in range(40))
        learning.add_csv(f"ids-{step}", "id,x,cls\n" + rows, "cls")
        facts = learning.facts(f"ids-{step}", "decision-tree")
        if sentence:
            assert sentence in learning.refusal("fit", **facts)
            assert learning.done("fit", **facts | {"columns": ["x"]})["learned"]["features"] == 1
        else:
            assert score(learning, f"ids-{step}", "decision-tree", "recall:macro")["recall:macro"] == 1.0


def test_times_become_parts_with_names_of_their_own(learning: Any) -> None:
    rows = "".join(f"2024-0{1 + i % 3}-0{1 + i % 7}T{i % 24:02}:00:00,{i % 5},{'ab'[i % 24 < 12]}\n" for i in range(96))
    learning.add_csv("hours", "when,when hour,cls\n" + rows, "cls")
    settings = {"prepare.dates": "parts"}
    assert score(learning, "hours", "decision-tree", "accuracy", settings=settings) == {"accuracy": 1.0}
    frame = train(learning.facts("hours", "decision-tree", settings=settings), learning.blobs).frame
    assert list(frame.types) == ["when year", "when month", "when weekday", "when hour'", "when hour"]
    assert list(frame.features.iloc[0]) == [2024.0, 1.0, 0.0, 0.0, 0.0]


def test_one_hot_columns_are_sparse_and_not_scaled() -> None:
    words = np.array([f"w{i % 50}" for i in range(200)], dtype=object)
    features = pd.DataFrame({"x": np.arange(200.0), "word": pd.Series(words, dtype=object)})
    part = Frame(features, np.arange(200) % 2, {"x": "number", "word": "string"})
    for model, sparse in ((SVC(), True), (LogisticRegression(), True), (DecisionTreeClassifier(), True)):
        prepared = build_pipeline(model, part, {}, SEED)[0].fit_transform(part.features, part.target)
        assert hasattr(prepared, "toarray") is sparse
        assert set(np.unique(prepared.toarray()[:, :50])) == {0.0, 1.0}
    assert not hasattr(build_pipeline(GaussianNB(), part, {}, SEED)[0].fit_transform(part.features), "toarray")


def test_defaults_suit_the_estimator() -> None:
    chosen = {type(it).__name__: complete_preparation(it, {}) for it in (SVC(), GaussianNB())}
    assert [chosen[name]["rare"] for name in ("SVC", "GaussianNB")] == [256, 32]
    assert complete_preparation(HistGradientBoostingClassifier(), {})["missing"] == "native"
    assert "native" not in preparation_settings(SVC())["prepare.missing"]["choices"]
    assert complete_preparation(SVC(), {"prepare.scale": None, "C": 2})["scale"] is None
