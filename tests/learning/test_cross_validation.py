"""Cross-validation and thresholds: scikit-learn's own numbers on the same folds, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score, precision_score
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from adapters.learning.preparation.frame import read_for_training
from adapters.learning.preparation.split import split

Fitted = Callable[[str, str], tuple[dict[str, Any], dict[str, Any]]]
SEED = 7  # of the fixture's trainings
FIVE = {"kind": "kfold", "k": 5, "repeats": 1}
ACCURACY = {"name": "accuracy"}
IRIS = load_iris(return_X_y=True)
FEATURES, PLACES = load_breast_cancer(return_X_y=True)
CANCER = FEATURES, np.array(["malignant", "benign"])[PLACES]


def evaluate(learning: Any, trained: tuple[dict[str, Any], dict[str, Any]], *measures: Any, **how: Any) -> Any:
    facts, done = trained
    chosen = {**facts, "model_blob": done["model_blob"]["sha256"], "on": None, "measures": list(measures)}
    return learning.done("score", **chosen, **how)


def refusal(learning: Any, trained: tuple[dict[str, Any], dict[str, Any]], *measures: Any, **how: Any) -> str:
    facts, done = trained
    chosen = {**facts, "model_blob": done["model_blob"]["sha256"], "on": None, "measures": list(measures)}
    sentence: str = learning.refusal("score", **chosen, **how)
    return sentence


def trained(learning: Any, dataset: str, model: str, **others: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    facts = learning.facts(dataset, model, **others)
    return facts, learning.done("fit", **facts)


def test_iris_with_a_linear_svc_has_the_published_accuracy(learning: Any) -> None:
    """The page is https://scikit-learn.org/stable/modules/cross_validation.html: 0.98, standard deviation 0.02."""
    settings = {"kernel": "linear", "C": 1.0, "prepare.scale": None}
    found = evaluate(learning, trained(learning, "iris", "svm", settings=settings), ACCURACY, folds=FIVE)
    expected = cross_val_score(SVC(kernel="linear", C=1), *IRIS, cv=StratifiedKFold(5, shuffle=True, random_state=SEED))
    assert found["notes"]["folds"]["accuracy/cv5"] == expected.tolist()
    assert found["measures"] == {"accuracy/cv5": expected.mean()}
    assert found["notes"]["spread"] == {"accuracy/cv5": expected.std()}
    assert found["measures"]["accuracy/cv5"] == pytest.approx(0.98, abs=0.02)
    assert "intervals" not in found["notes"]


@pytest.mark.parametrize(
    ("model", "estimator"),
    [
        ("logistic-regression", make_pipeline(StandardScaler(), LogisticRegression(random_state=SEED))),
        ("linear-svm", make_pipeline(StandardScaler(), LinearSVC(random_state=SEED))),
        ("random-forest", RandomForestClassifier(random_state=SEED)),
    ],
)
def test_every_value_is_the_one_of_cross_val_score(learning: Any, fitted: Fitted, model: str, estimator: Any) -> None:
    measures = [{"name": "precision", "average": "macro"}, {"name": "roc-auc", "average": "macro"}, ACCURACY]
    folds = {**FIVE, "repeats": 2} if model != "random-forest" else FIVE
    found = evaluate(learning, fitted("breast-cancer", model), *measures, folds=folds)
    repeated = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=SEED)
    cv = repeated if folds["repeats"] == 2 else StratifiedKFold(5, shuffle=True, random_state=SEED)
    suffix = "/cv5x2" if folds["repeats"] == 2 else "/cv5"
    names = {"precision:macro": "precision_macro", "roc-auc:macro": "roc_auc", "accuracy": "accuracy"}
    for name, scoring in names.items():
        expected = cross_val_score(estimator, *CANCER, cv=cv, scoring=scoring)
        assert found["notes"]["folds"][name + suffix] == expected.tolist(), name
        assert found["measures"][name + suffix] == expected.mean()


def test_numbers_are_cross_validated_on_folds_of_any_rows(learning: Any) -> None:
    table = load_diabetes()
    rows = [",".join(map(repr, row)) for row in np.column_stack([table.data, table.target]).tolist()]
    text = "\n".join([",".join([*table.feature_names, "progress"]), *rows])
    learning.add_csv("diabetes", text, "progress", given={"task": "regression"})
    tree = trained(
        learning, "diabetes", "decision-tree-regressor", settings={"max_depth": 3}, learning_task="regression"
    )
    found = evaluate(learning, tree, {"name": "r2"}, {"name": "mae"}, folds={"kind": "kfold", "k": 3})
    folds = KFold(3, shuffle=True, random_state=SEED)
    model = DecisionTreeRegressor(max_depth=3, random_state=SEED)
    expected = cross_val_score(model, table.data, table.target, cv=folds, scoring="r2")
    assert found["notes"]["folds"]["r2/cv3"] == expected.tolist()
    held = evaluate(learning, tree, {"name": "r2"}, {"name": "rmse"})
    assert list(held["notes"]["intervals"]) == ["r2", "rmse"]


def test_one_row_at_a_time_is_measured_over_all_rows(learning: Any, fitted: Fitted) -> None:
    measures = [ACCURACY, {"name": "f1", "average": "macro"}, {"name": "log-loss"}]
    found = evaluate(learning, fitted("iris", "naive-bayes"), *measures, folds={"kind": "loo"})
    expected = cross_val_score(GaussianNB(), *IRIS, cv=LeaveOneOut())
    predicted = cross_val_predict(GaussianNB(), *IRIS, cv=LeaveOneOut())
    assert found["measures"]["accuracy/loo"] == expected.mean()
    assert found["measures"]["f1:macro/loo"] == f1_score(IRIS[1], predicted, average="macro")
    assert 0 < found["measures"]["log-loss/loo"] < 1
    low, high = found["notes"]["intervals"]["accuracy/loo"]
    assert low < expected.mean() < high


def test_tables_of_folds_are_added_up_and_what_fits_warned_of_is_told(learning: Any) -> None:
    short = trained(learning, "iris", "logistic-regression", settings={"max_iter": 1})
    found = evaluate(learning, short, {"name": "confusion-matrix"}, folds=FIVE)
    table = np.array(found["measures"]["confusion-matrix/cv5"])
    assert table.sum(axis=1).tolist() == [50, 50, 50]
    assert any("converge" in text for text in found["notes"]["warnings"])
    assert found["notes"]["spread"] == {}


def test_a_measure_that_one_fold_cannot_have_is_none_with_the_fold(learning: Any, fitted: Fitted) -> None:
    found = evaluate(learning, fitted("iris", "svm"), {"name": "log-loss"}, ACCURACY, folds=FIVE)
    assert found["measures"]["log-loss/cv5"] is None
    assert found["notes"]["reasons"]["log-loss/cv5"].startswith("Fold 1 of 5: log-loss needs a model")
    assert found["measures"]["accuracy/cv5"] > 0.9


def test_groups_of_the_training_stay_together(learning: Any) -> None:
    """The class follows from the group alone: where a group is on both sides it can be looked up."""
    states = np.random.default_rng(1).choice(["ill", "well"], 60)
    rows = [f"{patient},{patient * 7 % 61},{states[patient]}" for patient in range(60) for _ in range(4)]
    learning.add_csv("patients", "\n".join(["patient,value,state", *rows]), "state")
    split = {"method": "group", "column": "patient"}
    together = trained(learning, "patients", "decision-tree", columns=["value"], split=split)
    apart = trained(learning, "patients", "decision-tree", columns=["value"])
    found = [evaluate(learning, each, ACCURACY, folds=FIVE)["measures"]["accuracy/cv5"] for each in (together, apart)]
    assert found[0] < 0.75
    assert found[1] > 0.95


def test_a_threshold_changes_what_is_predicted(learning: Any, fitted: Fitted) -> None:
    both = [{"name": "precision", "average": "binary"}, {"name": "recall", "average": "binary"}, {"name": "log-loss"}]
    trained = fitted("breast-cancer", "logistic-regression")
    plain, low = (evaluate(learning, trained, *both, threshold=it) for it in (None, 0.05))
    assert list(low["measures"]) == ["precision:binary/t0.05", "recall:binary/t0.05", "log-loss/t0.05"]
    assert low["measures"]["precision:binary/t0.05"] < plain["measures"]["precision:binary"]
    assert low["measures"]["recall:binary/t0.05"] > plain["measures"]["recall:binary"]
    assert low["measures"]["log-loss/t0.05"] == plain["measures"]["log-loss"]
    assert (low["notes"]["threshold"], plain["notes"]["threshold"]) == (0.05, None)
    assert low["notes"]["positive"] == "malignant"
    assert list(low["notes"]["intervals"]) == list(low["measures"])


def test_a_threshold_holds_in_each_fold(learning: Any, fitted: Fitted) -> None:
    found = evaluate(
        learning,
        fitted("breast-cancer", "logistic-regression"),
        {"name": "precision", "average": "binary"},
        folds=FIVE,
        threshold=0.3,
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(random_state=SEED))
    features, target = CANCER
    malignant = target == "malignant"
    expected = []
    for learned, held in StratifiedKFold(5, shuffle=True, random_state=SEED).split(features, target):
        predicted = model.fit(features[learned], target[learned]).predict_proba(features[held])[:, 1] >= 0.3
        expected.append(precision_score(malignant[held], predicted))
    assert found["notes"]["folds"]["precision:binary/cv5/t0.3"] == expected


def test_the_best_threshold_is_found_on_the_rows_that_were_learned_from(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("breast-cancer", "logistic-regression")
    chosen = {"name": "f1", "average": "binary"}, {"name": "confusion-matrix"}
    found = evaluate(learning, (facts, done), *chosen, threshold="best:f1")
    threshold = found["notes"]["threshold"]
    assert list(found["measures"]) == ["f1:binary/best-f1", "confusion-matrix/best-f1"]
    assert (
        found["measures"]["f1:binary/best-f1"]
        == evaluate(learning, (facts, done), chosen[0], threshold=threshold)["measures"][f"f1:binary/t{threshold}"]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(random_state=SEED))
    learned, target = learned_rows(learning, facts)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    chances = cross_val_predict(model, learned, target, cv=folds, method="predict_proba")[:, 1]
    best = max(chances, key=lambda it: f1_score(target == "malignant", chances >= it))
    just_below = threshold - 1e-12  # the same arithmetic in another order may round otherwise
    assert f1_score(target == "malignant", chances >= just_below) == f1_score(target == "malignant", chances >= best)
    assert np.sum(confusion_matrix(target == "malignant", chances >= threshold)) == len(target)


def learned_rows(learning: Any, facts: dict[str, Any]) -> tuple[Any, Any]:
    with learning.blobs.open(facts["dataset"]["sha256"]) as file:
        frame = read_for_training(file, facts)
    part = frame.rows(split(frame, facts, learning.blobs).train)
    return part.features.to_numpy(), part.target


def test_the_best_threshold_of_few_groups_is_found_on_fewer_folds(learning: Any) -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=200)
    rows = [f"{place % 4},{it:.4f},{'ill' if it + random.normal() > 1 else 'well'}" for place, it in enumerate(values)]
    learning.add_csv("wards", "\n".join(["ward,value,state", *rows]), "state")
    split = {"method": "group", "column": "ward"}
    wards = trained(learning, "wards", "logistic-regression", columns=["value"], split=split)
    found = evaluate(learning, wards, {"name": "f1", "average": "binary"}, threshold="best:f1")
    assert 0.1 < found["notes"]["threshold"] < 0.5
    rows = [f"{place // 100},{it:.4f},{'ill' if place < 150 else 'well'}" for place, it in enumerate(values)]
    learning.add_csv("two-wards", "\n".join(["ward,value,state", *rows]), "state")
    wards = trained(learning, "two-wards", "logistic-regression", columns=["value"], split=split, seed=1)
    sentence = refusal(learning, wards, ACCURACY, threshold="best:f1")
    assert sentence.startswith("No fold of the training part can tell the best threshold. 2 folds are more than the 1")


def test_a_model_without_probabilities_has_no_threshold(learning: Any, fitted: Fitted) -> None:
    for threshold in (0.3, "best:f1"):
        sentence = refusal(learning, fitted("breast-cancer", "svm"), ACCURACY, threshold=threshold)
        assert "A threshold is a probability, and this model gives none" in sentence


def test_folds_that_cannot_be_are_refused(learning: Any, fitted: Fitted) -> None:
    sentence = refusal(learning, fitted("iris", "svm"), ACCURACY, folds={"kind": "kfold", "k": 51})
    assert "The rarest class, 'setosa', has 50 rows, fewer than 51 folds" in sentence
