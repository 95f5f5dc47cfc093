"""Fit and reproduce, for all five models: on numbers, and on words, booleans and missing values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from adapters.learning.fitting.learned import summarize

Fitted = Callable[[str, str], tuple[dict[str, Any], dict[str, Any]]]
MODELS = ["logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes"]
MORE = ["gradient-boosting", "extra-trees", "k-nearest", "linear-svm"]


@pytest.mark.parametrize("dataset", ["iris", "penguins", "breast-cancer"])
@pytest.mark.parametrize("model", [*MODELS, *MORE])
def test_every_model_learns_and_is_reproduced_bit_by_bit(
    learning: Any, fitted: Fitted, model: str, dataset: str
) -> None:
    facts, done = fitted(dataset, model)
    assert done["split"]["train_rows"] + done["split"]["test_rows"] == learning.stored(dataset)["rows"]
    assert learning.score(facts, done, [{"name": "accuracy", "average": None}])["accuracy"] > 0.75
    assert learning.reproduce(facts, done) == {"verdict": "bit-identical", "differences": []}


@pytest.mark.parametrize("model", MODELS)
def test_the_summary_is_small_plain_json_and_says_the_classes(fitted: Fitted, model: str) -> None:
    _, done = fitted("breast-cancer", model)
    text = json.dumps(done["learned"], allow_nan=False)
    assert len(text) <= 2048
    assert done["learned"]["classes"] == ["benign", "malignant"]
    assert done["learned"]["positive_class"] == "malignant"
    assert done["learned"]["features"] == 30


def test_the_dummy_knows_the_classes_alone(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("breast-cancer", "dummy")
    assert 0.6 < learning.score(facts, done, [{"name": "accuracy", "average": None}])["accuracy"] < 0.65
    assert learning.reproduce(facts, done)["verdict"] == "bit-identical"


def test_the_provenance_names_all_that_the_result_depends_on(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "svm")
    found = done["provenance"]
    assert found["dataset_sha256"] == facts["dataset"]["sha256"]
    assert found["split_sha256"] == done["split"]["sha256"]
    assert (found["seed"], found["settings"], found["blas_threads"]) == (7, {}, 1)
    assert all(found[name] for name in ("python", "scikit-learn", "numpy", "pandas", "blas", "cpu"))


@pytest.mark.parametrize(
    ("text", "others", "sentence"),
    [
        ("x,class\n1,a\n2,b\n3,c\n4,d\n", {}, "Each class has one row only"),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"test_size": 0.01}, "holds out 1 of 4 rows, but there are 2 classes"),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"test_size": 0.9}, "between 2 and 2 rows"),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"test_size": 1.5}, "between 0 and 1"),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"seed": 2**32}, "seed"),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"target": "y"}, "no column 'y'; it has x, class"),
        (
            "x,class\n1,a\n2,a\n3,b\n4,b\n",
            {"test_size": 0.5, "settings": {"solver": "liblinear", "dual": True, "l1_ratio": 1.0}},
            "refused these settings",
        ),
        ("x,class\n1,a\n2,a\n3,b\n4,b\n", {"test_size": 0.5, "settings": {"depth": 3}}, "no setting depth; it has C, "),
    ],
)
def test_a_training_that_cannot_be_is_refused_with_what_would_be_right(
    learning: Any, text: str, others: dict[str, Any], sentence: str
) -> None:
    learning.add_csv("small", text, "class")
    learning.known.pop("small", None)
    assert sentence in learning.refusal("fit", **learning.facts("small", "logistic-regression", **others))


def test_a_column_without_values_and_a_boolean_column_just_work(learning: Any) -> None:
    rows = "".join(f"{i},{('true', 'false', '')[i % 3]},,{'ab'[i % 5 == 0]},{'yn'[i % 2]}\n" for i in range(60))
    learning.add_csv("odd", "x,flag,empty,word,class\n" + rows, "class")
    for model in MODELS:
        facts = learning.facts("odd", model)
        done = learning.done("fit", **facts)
        assert learning.reproduce(facts, done)["verdict"] == "bit-identical"


def test_a_fit_that_does_not_converge_says_so(learning: Any) -> None:
    done = learning.done("fit", **learning.facts("iris", "logistic-regression", settings={"max_iter": 1}))
    assert "converge" in done["learned"]["warnings"][0]


def test_warnings_in_letters_that_json_escapes_are_dropped_where_they_are_too_long() -> None:
    warnings = [letter * 200 for letter in "üéß"]
    prepare = ColumnTransformer([("x", "passthrough", ["x"])])
    model = Pipeline([("prepare", prepare), ("model", DummyClassifier())]).fit(pd.DataFrame({"x": [1, 2]}), ["a", "b"])
    summary = summarize(model, warnings, None)
    assert summary["warnings"] == warnings[:1]
    assert (summary["features"], summary["class_count"], summary["shortened"]) == (1, 2, True)
    assert len(json.dumps(summary)) <= 2000


def test_other_seeds_and_settings_give_other_models(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "random-forest")
    other_seed = learning.done("fit", **{**facts, "seed": 8})
    other_setting = learning.done("fit", **{**facts, "settings": {"max_depth": 2}})
    assert other_seed["split"]["sha256"] != done["split"]["sha256"]
    assert other_setting["split"] == done["split"]
    assert other_setting["learned_blob"] != done["learned_blob"]


def test_a_changed_record_is_told_from_its_reproduction(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "decision-tree")
    found = learning.reproduce({**facts, "settings": {"max_depth": 1}}, done)
    assert found["verdict"] == "different"
    assert any(sentence.startswith("accuracy was 0.9") for sentence in found["differences"])
    assert any("Learned parameters differ: model.tree_" in sentence for sentence in found["differences"])


def test_equal_measures_with_other_parameters_are_metric_equal(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "logistic-regression")
    then = {**done["provenance"], "numpy": "1.0"}
    del then["blas"]  # as in release 0.1.0
    found = learning.reproduce({**facts, "settings": {"tol": 0.0001001, "C": 1.0000001}}, done, provenance=then)
    assert found["verdict"] == "metric-equal"
    assert any("model.coef_" in sentence for sentence in found["differences"])
    assert any(sentence.startswith("numpy was 1.0, is ") for sentence in found["differences"])
    assert any(sentence.startswith("blas was not recorded, is ") for sentence in found["differences"])


def test_what_is_missing_makes_a_reproduction_impossible(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "svm")
    gone = {"name": "iris", "version": 1, "sha256": "0" * 64}
    found = learning.reproduce({**facts, "dataset": gone}, done)
    assert found["verdict"] == "not-possible"
    assert "data set iris version 1" in found["differences"][0]
    foreign = {"name": "oracle", "version": "1", "distribution": "delphi"}
    found = learning.reproduce({**facts, "model": foreign}, done)
    assert found["verdict"] == "not-possible"
    assert "'oracle'" in found["differences"][0]
