"""The report of an evaluation: equal to scikit-learn's own functions, and within its limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_iris
from sklearn.inspection import permutation_importance

from adapters.learning.fitting.model_file import load_model
from adapters.learning.offers.catalog import MODELS, find
from adapters.learning.preparation.frame import read_for_training
from adapters.learning.scoring.report.classes import MOST_CELLS, MOST_WRONG, classes_of
from adapters.learning.scoring.report.curves import MOST_CLASSES, MOST_POINTS, class_curves, curves_of
from adapters.learning.scoring.report.numbers import numbers_of
from adapters.learning.scoring.report.predictions import LONGEST_NAME, Predictions
from adapters.learning.scoring.report.slices import MOST_SLICES, slice_rows
from adapters.learning.scoring.score import held_out
from domain.errors import BadInputError
from tests.learning.conftest import SOURCES

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
Fitted = Callable[[str, str], tuple[dict[str, Any], dict[str, Any]]]
ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "evaluation-report.v1.json").read_text())
LARGEST = 1 << 20
MEASURES = [{"name": "recall", "average": "macro"}, {"name": "accuracy", "average": None}]


def reported(learning: Any, facts: dict[str, Any], done: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Evaluate, and return the report, which is as its schema says."""
    asked = {"evaluation": "a" * 16 + "-e1", "model_blob": done["model_blob"]["sha256"], "on": None}
    answer = learning.done("score", **{**facts, **asked, "measures": MEASURES, **options})
    with learning.blobs.open(answer["notes"]["report"]["sha256"]) as file:
        report: dict[str, Any] = json.loads(file.read())
    jsonschema.validate(report, SCHEMA)
    assert report["measures"] == {name: it for name, it in answer["measures"].items() if not isinstance(it, list)}
    return report


def made(truth: Any, predicted: Any, scores: Any = None, *, classes: Any = None) -> Predictions:
    numbers = np.arange(1, len(truth) + 1)
    known = np.unique(truth) if classes is None else classes
    return Predictions(np.asarray(truth), np.asarray(predicted), numbers, known, scores, scores is not None)


def test_per_class_and_confusion_are_those_of_scikit_learn() -> None:
    draws = np.random.default_rng(1)
    truth, predicted = draws.integers(0, 4, 300), draws.integers(0, 3, 300)
    found = classes_of(made(truth, predicted))
    expected = metrics.precision_recall_fscore_support(truth, predicted, zero_division=np.nan)
    for place, name in enumerate(("precision", "recall", "f1", "rows")):
        values = [it[name] if it[name] is not None else np.nan for it in found["classes"]]
        np.testing.assert_allclose(values, expected[place], rtol=1e-5)
    assert found["classes"][3]["precision"] is None, "it was never predicted"
    assert found["confusion"]["counts"] == metrics.confusion_matrix(truth, predicted).tolist()


@settings(deadline=None)
@given(st.integers(2, 400), st.integers(0, 1000), st.booleans())
def test_areas_and_points_are_those_of_scikit_learn(rows: int, seed: int, few: bool) -> None:
    draws = np.random.default_rng(seed)
    truth = np.r_[True, False, draws.integers(0, 2, rows - 2) > 0]
    scores = draws.random(rows).round(1 if few else 6)
    found = class_curves(truth, scores, are_probabilities=True)
    assert found["roc_area"] == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(truth, scores), abs=1e-12)
    assert found["calibration"]["brier"] == pytest.approx(metrics.brier_score_loss(truth, scores), abs=1e-12)
    observed, predicted = calibration_curve(truth, scores, n_bins=10)
    np.testing.assert_allclose(found["calibration"]["observed"], observed, atol=1e-5)
    np.testing.assert_allclose(found["calibration"]["predicted"], predicted, atol=1e-5)
    table = found["thresholds"]
    assert len(table["recall"]) <= MOST_POINTS
    assert (table["threshold"][0], table["recall"][0], table["precision"][0]) == (None, 0, 1)
    assert (table["recall"][-1], table["false_positive_rate"][-1]) == (1, 1)
    every = np.stack(metrics.roc_curve(truth, scores, drop_intermediate=False)[:2], axis=1)
    for point in zip(table["false_positive_rate"], table["recall"], strict=True):
        assert np.abs(every - point).sum(axis=1).min() < 1e-5
    assert sum(found["histogram"]["of_class"]) == truth.sum()
    assert sum(found["histogram"]["of_others"]) == (~truth).sum()


def test_one_class_alone_has_no_curve() -> None:
    found = class_curves(np.ones(5, dtype=bool), np.linspace(-3, 2, 5), are_probabilities=False)
    assert (found["roc_area"], found["thresholds"], found["calibration"]) == (None, None, None)
    assert found["histogram"]["edges"][0::20] == [-3, 2]


def test_the_most_wrong_rows_come_first_by_their_number() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.99, 0.01], [0.2, 0.8]])
    found = classes_of(made([0, 0, 1, 0], [0, 1, 0, 1], scores))
    assert [row["row"] for row in found["wrong"]] == [3, 4, 2]
    first = {"row": 3, "true": "1", "predicted": "0", "score_of_true": 0.01, "score_of_predicted": 0.99}
    assert found["wrong"][0] == first
    without = classes_of(made([0, 0, 1], [0, 1, 0]))["wrong"]
    assert [(row["row"], row["score_of_true"]) for row in without] == [(2, None), (3, None)]


def test_a_class_that_was_not_learned_counts_as_wrong() -> None:
    scores = np.array([[0.9, 0.1], [0.3, 0.7]])
    found = classes_of(made(["a", "z"], ["a", "b"], scores, classes=np.array(["a", "b"])))
    assert [it["class"] for it in found["classes"]] == ["a", "b", "z"]
    assert found["wrong"] == [
        {"row": 2, "true": "z", "predicted": "b", "score_of_true": None, "score_of_predicted": 0.7}
    ]


def test_a_thousand_classes_of_long_names_stay_below_a_mebibyte() -> None:
    names = np.array([f"{place:04}" + "\x01" * 100 for place in range(1000)])
    draws = np.random.default_rng(2)
    truth, predicted = draws.choice(names, 20_000), draws.choice(names, 20_000)
    predictions = made(truth, predicted, draws.random((20_000, 1000)), classes=np.sort(names))
    report = classes_of(predictions) | {"curves": curves_of(predictions, None)}
    assert len(json.dumps(report)) < LARGEST
    assert max(len(it["class"]) for it in report["classes"]) == LONGEST_NAME
    confusion = report["confusion"]
    assert (confusion["counts"], len(confusion["cells"])) == (None, MOST_CELLS)
    assert sum(count for *_, count in confusion["cells"]) + confusion["rows_left_out"] == 20_000
    assert (len(report["wrong"]), len(report["curves"]["of_classes"])) == (MOST_WRONG, MOST_CLASSES)
    assert report["curves"]["classes_left_out"] == 1000 - MOST_CLASSES


def test_of_numbers_there_are_residuals() -> None:
    draws = np.random.default_rng(3)
    truth = draws.normal(size=5000)
    residuals = draws.normal(size=5000)
    found = numbers_of(Predictions(truth, truth + residuals, np.arange(1, 5001)))
    assert found["residuals"]["mean"] == pytest.approx(residuals.mean(), abs=1e-5)
    assert found["residuals"]["quartiles"][2] == pytest.approx(np.median(residuals), abs=1e-5)
    assert sum(found["residuals"]["histogram"]["counts"]) == 5000
    assert [row["row"] for row in found["wrong"]] == (np.argsort(-np.abs(residuals))[:MOST_WRONG] + 1).tolist()
    assert (len(found["points"]["true"]), found["points"]["rows_left_out"]) == (1000, 4000)
    assert found["points"]["true"] == sorted(found["points"]["true"])
    assert len(numbers_of(Predictions(truth[:1], truth[:1], np.array([1])))["points"]["true"]) == 1


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=50), st.sampled_from([0.0, 1e-17, 1.0, 1e9]))
def test_no_spread_is_too_narrow_or_too_wide(values: list[float], base: float) -> None:
    truth = np.array(values)
    for predicted in (truth + base, np.full(len(truth), base)):
        found = numbers_of(Predictions(truth, predicted, np.arange(1, len(truth) + 1)))["residuals"]["histogram"]
        assert sum(found["counts"]) == len(truth)
        is_of_class = np.arange(len(truth)) % 2 > 0
        histogram = class_curves(is_of_class, predicted, are_probabilities=False)["histogram"]
        assert sum(histogram["of_class"] + histogram["of_others"]) == len(truth)


@pytest.mark.parametrize(
    ("values", "slices"),
    [
        (["x", "y", None, "x"], {"x": [0, 3], "y": [1], None: [2]}),
        ([True, False, None, True], {"false": [1], "true": [0, 3], None: [2]}),
        ([10, 9, None, 10], {"9": [1], "10": [0, 3], None: [2]}),
        ([None, None], {None: [0, 1]}),
    ],
)
def test_rows_of_each_value(values: list[Any], slices: dict[str | None, list[int]]) -> None:
    column = pa.chunked_array([values], pa.string() if values[0] is None else None)
    assert {value: rows.tolist() for value, rows in slice_rows("a", column).rows} == slices


def test_many_numbers_are_cut_into_quarters_and_rare_words_left_out() -> None:
    quarters = slice_rows("a", pa.chunked_array([[float(it) for it in range(100)]])).rows
    assert [(value, len(rows)) for value, rows in quarters] == [
        ("0 to 24.75", 25), ("24.75 to 49.5", 25), ("49.5 to 74.25", 25), ("74.25 to 99", 25),
    ]  # fmt: skip
    days = [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=it) for it in range(101)]
    times = slice_rows("a", pa.chunked_array([[*days, None]], pa.timestamp("us"))).rows
    assert times[0][0] == "2026-01-01 00:00:00 to 2026-01-26 00:00:00"
    assert [len(rows) for _, rows in times] == [26, 25, 25, 25, 1]
    assert len(slice_rows("a", pa.chunked_array([[0] * 90 + [*range(100)]])).rows) == 3, "two quarters are the same"
    words = [f"w{number}" for number in range(60) for _ in range(1 + (number < MOST_SLICES))]
    found = slice_rows("a", pa.chunked_array([words]))
    assert (len(found.rows), found.values_left_out, found.rows_left_out) == (MOST_SLICES, 10, 10)
    with pytest.raises(BadInputError, match="has 10000 different values in these rows"):
        slice_rows("name", pa.chunked_array([[f"w{number}" for number in range(10_000)]]))


@pytest.mark.parametrize("model", ["logistic-regression", "linear-svm", "svm", "dummy"])
def test_every_model_has_a_report(learning: Any, fitted: Fitted, model: str) -> None:
    for dataset, curves in (("iris", 3), ("breast-cancer", 1)):
        facts, done = fitted(dataset, model)
        report = reported(learning, facts, done)
        assert report["rows"] == done["split"]["test_rows"] == sum(it["rows"] for it in report["classes"])
        assert len(report["curves"]["of_classes"]) == curves
        is_probable = model in {"logistic-regression", "dummy"}
        assert report["curves"]["scores"] == ("probabilities" if is_probable else "decision values")
        assert report["positive"] == (None if dataset == "iris" else "malignant")


def test_wrong_rows_are_numbered_as_in_the_data_set(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "logistic-regression")
    data = load_iris()
    names = dict(enumerate(data.target_names))
    for row in reported(learning, facts, done)["wrong"]:
        assert row["true"] == names[data.target[row["row"] - 1]] != row["predicted"]


def test_the_positive_class_is_the_evaluations_own(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("breast-cancer", "logistic-regression")
    asked = {"measures": [{"name": "recall", "average": "binary"}]}
    reports = {it: reported(learning, facts, done, positive=it, **asked) for it in ("benign", "malignant")}
    for name, report in reports.items():
        (of_class,) = (it for it in report["classes"] if it["class"] == name)
        assert report["measures"]["recall:binary"] == pytest.approx(of_class["recall"], abs=1e-5)
        assert [it["class"] for it in report["curves"]["of_classes"]] == [name]
    areas = [it["curves"]["of_classes"][0]["roc_area"] for it in reports.values()]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)
    blob = done["model_blob"]["sha256"]
    refusal = learning.refusal("score", **{**facts, **asked, "model_blob": blob, "on": None, "positive": "bad"})
    assert refusal.startswith("There is no class 'bad' to be the positive one")


def test_slices_and_importance_are_those_of_plain_scikit_learn(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("penguins", "decision-tree")
    report = reported(learning, facts, done, by="island", importance=True)
    model = load_model(learning.blobs, done["model_blob"]["sha256"], find(MODELS, "decision-tree", "autolearn"))
    with learning.blobs.open(facts["dataset"]["sha256"]) as file:
        part = held_out(read_for_training(file, facts), facts, learning.blobs)
    islands = part.features["island"].to_numpy()
    assert [it["value"] for it in report["slices"]["slices"]] == sorted(set(islands))
    for it in report["slices"]["slices"]:
        rows = islands == it["value"]
        expected = metrics.accuracy_score(part.target[rows], model.predict(part.features[rows]))
        assert (it["rows"], it["measures"]["accuracy"]) == (rows.sum(), expected)
    expected = permutation_importance(
        model, part.features, part.target, scoring="balanced_accuracy", n_repeats=5, random_state=facts["seed"]
    )
    means = {it["column"]: it["mean"] for it in report["importance"]["columns"]}
    for name, mean in zip(part.features.columns, expected.importances_mean, strict=True):
        assert means[name] == pytest.approx(mean, abs=1e-5)
    assert (report["importance"]["repeats"], report["importance"]["rows"]) == (5, len(part.target))


def test_a_slice_need_not_be_learned_from(learning: Any) -> None:
    facts = learning.facts("penguins", "decision-tree", columns=["bill_length_mm", "bill_depth_mm"])
    done = learning.done("fit", **facts)
    slices = reported(learning, facts, done, by="body_mass_g")["slices"]
    assert [it["value"] is None for it in slices["slices"]][:4] == [False] * 4
    assert sum(it["rows"] for it in slices["slices"]) == done["split"]["test_rows"]


@pytest.mark.parametrize("folds", [{"kind": "kfold", "k": 3, "repeats": 2}, {"kind": "loo"}])
def test_of_folds_it_has_each_row_once(learning: Any, fitted: Fitted, folds: dict[str, Any]) -> None:
    facts, done = fitted("iris", "linear-svm")
    report = reported(learning, facts, done, folds={"k": None, "repeats": 1} | folds, by="species")
    assert (report["rows"], [it["rows"] for it in report["slices"]["slices"]]) == (150, [50, 50, 50])
    assert len({row["row"] for row in report["wrong"]}) == len(report["wrong"]) > 0
    names = dict(enumerate(load_iris().target_names))
    assert all(row["true"] == names[load_iris().target[row["row"] - 1]] for row in report["wrong"])


def test_with_a_threshold_rows_are_wrong_by_it(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("breast-cancer", "logistic-regression")
    report = reported(learning, facts, done, threshold=0.999, positive="malignant", importance=True)
    of_class = next(it for it in report["classes"] if it["class"] == "malignant")
    assert of_class["recall"] < 0.6
    assert report["threshold"] == 0.999
    assert {row["true"] for row in report["wrong"]} == {"malignant"}


def test_importance_takes_fewer_repeats_and_rows_where_time_is_short(
    learning: Any, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.learning.scoring.report.importance.SECONDS", 1e-9)
    monkeypatch.setattr("adapters.learning.scoring.report.importance.FEWEST_ROWS", 20)
    facts, done = fitted("penguins", "decision-tree")
    importance = reported(learning, facts, done, importance=True)["importance"]
    assert (importance["repeats"], importance["rows"]) == (1, 20)


def test_of_a_regression_there_are_residuals_slices_and_importance(learning: Any) -> None:
    learning.add_csv("masses", PENGUINS.read_text(), "body_mass_g")
    SOURCES["masses"] |= {"given": {"task": "regression", "drop_missing_target": True}}
    facts = learning.facts("masses", "ridge", learning_task="regression")
    done = learning.done("fit", **facts)
    for folds in (None, {"kind": "kfold", "k": 3, "repeats": 1}):
        asked = {"measures": [{"name": "r2"}], "by": "island", "importance": folds is None, "folds": folds}
        report = reported(learning, facts, done, **asked)
        assert (report["task"], report["classes"], report["curves"], report["positive"]) == ("regression", *[None] * 3)
        assert report["rows"] == sum(it["rows"] for it in report["slices"]["slices"])
        assert abs(report["residuals"]["mean"]) < 100
        assert report["wrong"][0]["residual"] == pytest.approx(
            report["wrong"][0]["predicted"] - report["wrong"][0]["true"], abs=0.1
        )
        assert folds or (report["importance"]["measure"], report["importance"]["value"]) == (
            "r2", pytest.approx(report["measures"]["r2"], abs=1e-5),
        )  # fmt: skip
