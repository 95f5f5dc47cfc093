"""Score: every measure for every model, on the held-out part and on other data sets."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import precision_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

Fitted = Callable[[str, str], tuple[dict[str, Any], dict[str, Any]]]
MODELS = ["logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes"]
AVERAGED = ["precision", "recall", "f1"]
PLAIN = ["accuracy", "balanced-accuracy", "mcc", "confusion-matrix"]
TABLES = Path(__file__).parents[1] / "tables"
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def specs(*names: str, average: str | None = None) -> list[dict[str, Any]]:
    return [{"name": name, "average": average} for name in names]


class Other:
    """Scores a model on another data set, stored by the test (with two classes at least, so a row is added by hand)."""

    def __init__(self, learning: Any, name: str, facts: dict[str, Any], done: dict[str, Any]) -> None:
        self.learning, self.facts = learning, {**facts, "model_blob": done["model_blob"]["sha256"]}
        sha256 = learning.stored(name)["blob"]["sha256"]
        self.on = {"name": name, "version": 1, "sha256": sha256, "target": facts["target"]}

    def values(self, *names: str, average: str | None = None) -> dict[str, Any]:
        measures = specs(*names, average=average)
        found: dict[str, Any] = self.learning.done("score", **self.facts, on=self.on, measures=measures)["measures"]
        return found

    def refusal(self) -> str:
        text: str = self.learning.refusal("score", **self.facts, on=self.on, measures=specs("accuracy"))
        return text


def penguins(chosen: Callable[[dict[str, str]], bool], drop: str = "", **changed: str) -> str:
    """Return some penguins as CSV, and one Gentoo more for a second class; without a column, or with values changed."""
    lines = (PENGUINS.read_text()).splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    kept = [{**row, **changed} for row in rows if chosen(row)] + [row for row in rows if row["species"] == "Gentoo"][:1]
    columns = [name for name in names if name != drop]
    return "\n".join([",".join(columns), *(",".join(row[name] for name in columns) for row in kept)]) + "\n"


def test_the_answer_is_that_of_scikit_learn_itself(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "decision-tree")
    data = load_iris()
    train, test = train_test_split(np.arange(150), test_size=0.25, random_state=7, stratify=data.target)
    train.sort()
    tree = DecisionTreeClassifier(random_state=7).fit(data.data[train], data.target[train])
    expected = precision_score(data.target[test], tree.predict(data.data[test]), average="macro")
    assert learning.score(facts, done, specs("precision", average="macro")) == {"precision:macro": expected}


@pytest.mark.parametrize("model", MODELS)
def test_all_measures_of_two_and_of_more_classes(learning: Any, fitted: Fitted, model: str) -> None:
    for dataset, averages in (("iris", ("macro", "micro", "weighted")), ("breast-cancer", ("macro", "binary"))):
        facts, done = fitted(dataset, model)
        measures = [spec for average in averages for spec in specs(*AVERAGED, average=average)]
        measures += [*specs(*PLAIN), *specs("roc-auc", average="macro")]
        measures += [] if model == "svm" else specs("log-loss")
        values = learning.score(facts, done, measures)
        assert len(values) == len(measures)
        table = values.pop("confusion-matrix")
        assert sum(map(sum, table)) == done["split"]["test_rows"]
        assert all(isinstance(value, float) and math.isfinite(value) for value in values.values())
        assert values["roc-auc:macro"] > 0.9
        json.dumps(values, allow_nan=False)


def table(learning: Any, name: str, target: str = "cls") -> str:
    learning.add_csv(name, (TABLES / f"{name}.csv").read_text(), target)
    return name


def scored(learning: Any, facts: dict[str, Any], measures: list[dict[str, Any]], on: str | None = None) -> Any:
    """Train, and return all that the score task answers."""
    done = learning.done("fit", **facts)
    sha256 = learning.stored(on)["blob"]["sha256"] if on else None
    other = {"name": on, "version": 1, "sha256": sha256} if on else None
    return learning.done("score", **facts, model_blob=done["model_blob"]["sha256"], on=other, measures=measures)


def test_what_cannot_be_computed_has_its_reason_and_does_not_take_the_rest_with_it(learning: Any) -> None:
    found = scored(learning, learning.facts("iris", "svm"), specs("accuracy", "log-loss", "mcc"))
    assert found["measures"]["log-loss"] is None
    assert min(found["measures"][name] for name in ("accuracy", "mcc")) > 0.8
    assert found["notes"]["reasons"].keys() == {"log-loss"}
    assert "log-loss needs a model that gives probabilities" in found["notes"]["reasons"]["log-loss"]


def test_what_measures_warn_of_is_kept(learning: Any) -> None:
    facts = learning.facts(table(learning, "imbalanced"), "svm")
    notes = scored(learning, facts, specs("precision", average="binary"))["notes"]
    (warning,) = notes["warnings"]
    assert warning.startswith("precision:binary: Precision is ill-defined")


@pytest.mark.parametrize(("named", "positive"), [(None, "fraud"), ("ok", "ok"), ("fraud", "fraud")])
def test_the_rarer_class_is_positive_unless_another_is_named(learning: Any, named: str | None, positive: str) -> None:
    facts = learning.facts(table(learning, "imbalanced"), "svm", positive=named)
    found = scored(learning, facts, [*specs("recall", average="binary"), *specs("confusion-matrix")])
    (right_fraud, missed_fraud), (missed_ok, right_ok) = found["measures"]["confusion-matrix"]
    recalls = {"fraud": right_fraud / (right_fraud + missed_fraud), "ok": right_ok / (right_ok + missed_ok)}
    assert found["measures"]["recall:binary"] == recalls[positive]
    assert found["notes"]["positive"] == positive
    assert learning.done("fit", **facts)["learned"]["positive_class"] == positive


def test_a_large_table_is_a_blob(learning: Any) -> None:
    facts = learning.facts(table(learning, "many-classes"), "decision-tree", test_size=0.4)
    found = scored(learning, facts, specs("accuracy", "confusion-matrix"))
    assert found["measures"].keys() == {"accuracy"}
    blob = found["notes"]["tables"]["confusion-matrix"]
    with learning.blobs.open(blob["sha256"]) as file:
        matrix = json.load(file)
    assert (len(matrix), sum(map(sum, matrix))) == (400, 480)


def test_another_table_is_read_with_the_types_of_the_training(learning: Any) -> None:
    for name in ("codes-train", "codes-eval", "classes-train", "classes-eval", "three-train", "three-eval"):
        table(learning, name)
    facts = learning.facts("codes-train", "decision-tree")
    assert scored(learning, facts, specs("accuracy"), "codes-eval")["measures"]["accuracy@codes-eval"] > 0.4
    facts = learning.facts("classes-train", "naive-bayes")
    assert scored(learning, facts, specs("accuracy"), "classes-eval")["measures"]["accuracy@classes-eval"] > 0.9
    facts = learning.facts("three-train", "logistic-regression", seed=1)
    found = scored(learning, facts, specs("log-loss"), "three-eval")  # which has two of the three classes
    assert found["measures"]["log-loss@three-eval"] == pytest.approx(0.7416, abs=5e-5)


def test_binary_measures_take_the_rarer_class_as_positive(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("breast-cancer", "decision-tree")
    values = learning.score(facts, done, [*specs("recall", average="binary"), *specs("confusion-matrix")])
    (_, _), (missed, found) = values["confusion-matrix"]
    assert values["recall:binary"] == found / (missed + found)


def test_a_measure_that_cannot_be_computed_is_refused_with_a_sentence(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("iris", "svm")
    chosen = {**facts, "model_blob": done["model_blob"]["sha256"], "on": None}
    refusal = learning.refusal("score", **chosen, measures=specs("precision", average="binary"))
    assert "3" in refusal
    assert "macro, micro or weighted" in refusal
    assert "roc-auc" in learning.refusal("score", **chosen, measures=specs("log-loss"))


def test_a_value_that_is_not_defined_is_null(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("penguins", "naive-bayes")
    learning.add_csv("adelies", penguins(lambda row: row["species"] == "Adelie"), "species")
    other = Other(learning, "adelies", facts, done)
    assert other.values("roc-auc", average="macro") == {"roc-auc:macro@adelies": None}
    assert other.values("accuracy")["accuracy@adelies"] > 0.5


def test_a_model_is_scored_on_another_data_set_whose_columns_fit(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("penguins", "random-forest")
    learning.add_csv("females", penguins(lambda row: row["sex"] == "female"), "species")
    values = Other(learning, "females", facts, done).values("precision", average="weighted")
    assert list(values) == ["precision:weighted@females"]
    assert values["precision:weighted@females"] > 0.95
    learning.add_csv("elsewhere", penguins(lambda _: True, island="Atlantis"), "species")
    assert Other(learning, "elsewhere", facts, done).values("accuracy")["accuracy@elsewhere"] > 0.5


def test_another_data_set_that_does_not_fit_is_refused_with_what_is_wrong(learning: Any, fitted: Fitted) -> None:
    facts, done = fitted("penguins", "decision-tree")
    learning.add_csv("no-sex", penguins(lambda _: True, drop="sex"), "species")
    assert "lacks columns that the model was trained on: sex" in Other(learning, "no-sex", facts, done).refusal()
    learning.add_csv("words", penguins(lambda _: True, year="soon"), "species")
    assert "'year' of data set 'words' is string; the model was" in Other(learning, "words", facts, done).refusal()
    learning.add_csv("emperors", penguins(lambda _: True, species="Emperor"), "species")
    assert "classes that the model does not know: Emperor" in Other(learning, "emperors", facts, done).refusal()
