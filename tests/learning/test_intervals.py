"""Bootstrap intervals: the values of each resample are scikit-learn's, and the interval covers the truth."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVC, LinearSVC

from adapters.learning.offers.catalog import find
from adapters.learning.preparation.frame import Frame
from adapters.learning.scoring import intervals
from adapters.learning.scoring.cached_model import CachedModel
from adapters.learning.scoring.intervals import find_intervals
from adapters.learning.scoring.measure import compute_measure
from domain.values import MeasureSpec

ROWS = 90
RANDOM = np.random.default_rng(3)
FEATURES = pd.DataFrame(RANDOM.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
SCORE = FEATURES["a"] + RANDOM.normal(size=ROWS)
TWO = np.where(SCORE > 0.5, "yes", "no")
THREE = np.select([SCORE > 0.7, SCORE < -0.7], ["high", "low"], "middle")
NUMBERS = SCORE.to_numpy() * 3 + 20
OF_CLASSES = ("macro", "micro", "weighted")


def spec(name: str, average: str | None = None) -> MeasureSpec:
    return MeasureSpec(name=name, average=average)


def seen_and_part(model: Any, target: Any) -> tuple[CachedModel, Frame]:
    part = Frame(FEATURES, target, dict.fromkeys(map(str, FEATURES), "number"))
    return CachedModel(model.fit(FEATURES, target), FEATURES), part


def values_of_scikit_learn(measure: MeasureSpec, seen: CachedModel, part: Frame, number: int, seed: int) -> list[Any]:
    """Compute each of the first resamples as an evaluation computes a value."""
    drawn = np.random.default_rng(seed).integers(ROWS, size=(intervals.RESAMPLES, ROWS))[:number]
    found = []
    for rows in drawn:
        value, _ = compute_measure(measure, seen.model, part.rows(rows), "yes")
        found.append(value)
    return found


@pytest.mark.parametrize(
    ("model", "target", "measures"),
    [
        (
            LogisticRegression(),
            THREE,
            [
                *(spec(name, average) for name in ("precision", "recall", "f1", "roc-auc") for average in OF_CLASSES),
                *map(spec, ("accuracy", "balanced-accuracy", "mcc", "log-loss")),
            ],
        ),
        (LogisticRegression(), TWO, [spec(name, "binary") for name in ("precision", "recall", "f1")]),
        (LogisticRegression(), TWO, [spec("roc-auc", "macro"), spec("roc-auc", "weighted"), spec("mcc")]),
        (SVC(decision_function_shape="ovo"), THREE, [spec("roc-auc", "macro")]),
        (LinearSVC(), TWO, [spec("roc-auc", "macro"), spec("balanced-accuracy")]),
        (
            LinearRegression(),
            NUMBERS,
            [*map(spec, ("r2", "mae", "rmse", "median-absolute-error", "mape", "max-error"))],
        ),
        (DummyClassifier(), THREE, [spec("precision", "macro"), spec("mcc"), spec("roc-auc", "macro")]),
    ],
)
def test_each_resample_has_the_value_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, model: Any, target: Any, measures: list[MeasureSpec]
) -> None:
    kept: list[Any] = []

    def keep(values: Any) -> tuple[float, float]:
        kept.append(values)
        return 0.0, 1.0

    monkeypatch.setattr(intervals, "_ends", keep)
    seen, part = seen_and_part(model, target)
    find_intervals(measures, seen, part, "yes", 5)
    assert len(kept) == len(measures)
    for measure, values in zip(measures, kept, strict=True):
        assert len(values) == intervals.RESAMPLES, measure
        expected = values_of_scikit_learn(measure, seen, part, 20, 5)
        np.testing.assert_allclose(values[:20], expected, rtol=1e-12, atol=1e-12, err_msg=str(measure))


def test_the_interval_is_about_as_wide_as_theory_says() -> None:
    seen, part = seen_and_part(LogisticRegression(), TWO)
    found, resamples = find_intervals([spec("accuracy")], seen, part, None, 5)
    accuracy = float(np.mean(seen.predict(FEATURES) == TWO))
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / ROWS)
    assert resamples == 1000
    assert found["accuracy"] == pytest.approx((accuracy - half, accuracy + half), abs=0.02)
    assert find_intervals([spec("accuracy")], seen, part, None, 5)[0] == found, "the seed decides"


def test_many_rows_have_fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "MOST_DRAWN", 200 * ROWS * 2)
    monkeypatch.setattr(intervals, "BATCH", 7 * ROWS)
    seen, part = seen_and_part(LogisticRegression(), TWO)
    assert find_intervals([spec("accuracy"), spec("mcc")], seen, part, None, 5)[1] == 200


def test_a_resample_in_which_a_measure_is_not_defined_does_not_count() -> None:
    rare = np.array(["yes"] * 2 + ["no"] * (ROWS - 2))
    seen, part = seen_and_part(DummyClassifier(strategy="constant", constant="yes"), rare)
    found, _ = find_intervals([spec("recall", "binary"), spec("precision", "binary")], seen, part, "yes", 5)
    assert found["recall:binary"] == (1.0, 1.0), "a resample without any `yes` has no recall"
    assert found["precision:binary"][0] > 0


def test_a_measure_of_a_plug_in_is_computed_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, part = seen_and_part(LogisticRegression(), TWO)
    asked: list[int] = []

    def share_right(estimator: Any, X: Any, y: Any) -> float:  # noqa: N803 - the parameter names of a scikit-learn scorer
        asked.append(len(X))
        return float(np.mean(estimator.predict(X) == y))

    offer = SimpleNamespace(target=lambda: share_right)
    monkeypatch.setattr(
        "adapters.learning.scoring.intervals.find",
        lambda group, name: offer if name == "share-right" else find(group, name),
    )
    monkeypatch.setattr("adapters.learning.scoring.intervals.time.perf_counter", lambda: len(asked) / 500)
    seen.predict(FEATURES)
    found, resamples = find_intervals([spec("accuracy"), spec("share-right")], seen, part, None, 5)
    assert resamples == len(asked) == 251, "half a second, as there are two measures"
    assert found["share-right"] == pytest.approx(found["accuracy"], abs=0.03)


def test_a_model_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, part = seen_and_part(LogisticRegression(), THREE)
    asked: list[str] = []

    def count(name: str, own: Any, features: Any) -> Any:
        asked.append(name)
        return own(features)

    for name in ("predict", "predict_proba"):
        monkeypatch.setattr(seen.model, name, partial(count, name, getattr(seen.model, name)))
    chosen = [spec("precision", "macro"), spec("accuracy"), spec("roc-auc", "macro"), spec("log-loss")]
    for each in chosen:
        compute_measure(each, seen, part, None)
    find_intervals(chosen, seen, part, None, 5)
    assert asked == ["predict", "predict_proba"]
