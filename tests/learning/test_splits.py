"""Which rows are held out: by chance, by groups, by times, or another data set; alike in fit, score and reproduce."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.tree import DecisionTreeClassifier

SEED = 7
X = np.random.default_rng(3).normal(size=120).round(3)
CLASSES = np.where(np.random.default_rng(4).normal(size=120) + X > 0, "yes", "no")
SITES = np.array([f"site {number % 9}" for number in range(120)])
DAYS = np.arange(120)[::-1] // 2  # the latest come first, each day twice


@pytest.fixture(scope="module")
def rows(learning: Any) -> str:
    days = [f"2024-{1 + day // 28:02}-{1 + day % 28:02}" for day in DAYS]
    lines = zip(X, SITES, days, CLASSES, strict=True)
    text = "".join(f"{x},{site},{day},2024,{label}\n" for x, site, day, label in lines)
    learning.add_csv("visits", f"x,site,day,year,class\n{text}", "class")
    return "visits"


def split_by(method: str, column: str | None = None, dataset: Any = None) -> dict[str, Any]:
    return {"method": method, "column": column, "dataset": dataset}


def digest(held: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.sort(held).astype("<i8").tobytes()).hexdigest()


def late() -> np.ndarray[Any, Any]:
    return np.flatnonzero(np.sort(DAYS)[-30] <= DAYS)


def grouped() -> np.ndarray[Any, Any]:
    train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=SEED).split(X, groups=SITES))
    assert not {*SITES[train]} & {*SITES[test]}
    return np.asarray(test)


def drawn() -> np.ndarray[Any, Any]:
    return np.asarray(train_test_split(np.arange(120), test_size=0.25, random_state=SEED, stratify=CLASSES)[1])


@pytest.mark.parametrize(
    ("split", "test"),
    [(split_by("random"), drawn()), (split_by("group", "site"), grouped()), (split_by("time", "day"), late())],
)
def test_a_split_holds_out_what_scikit_learn_would(learning: Any, rows: str, split: Any, test: Any) -> None:
    facts = learning.facts(rows, "decision-tree", columns=["x"], seed=SEED, split=split)
    done = learning.done("fit", **facts)
    assert done["split"] == {"train_rows": 120 - len(test), "test_rows": len(test), "sha256": digest(test)}
    train = np.setdiff1d(np.arange(120), test)
    tree = DecisionTreeClassifier(random_state=SEED).fit(X[train, None], CLASSES[train])
    expected = accuracy_score(CLASSES[test], tree.predict(X[test, None]))
    assert learning.score(facts, done, [{"name": "accuracy", "average": None}]) == {"accuracy": expected}
    assert learning.reproduce(facts, done)["verdict"] == "bit-identical"


def test_rows_of_one_time_are_on_one_side(learning: Any, rows: str) -> None:
    facts = learning.facts(rows, "dummy", split=split_by("time", "day"), test_size=0.26)
    assert learning.done("fit", **facts)["split"]["test_rows"] == 32
    learning.add_csv(
        "years", "x,year,class\n" + "".join(f"{i},{2007 + i // 30},{'ab'[i % 2]}\n" for i in range(60)), "class"
    )
    for share in (0.01, 0.9):
        facts = learning.facts("years", "dummy", split=split_by("time", "year"), test_size=share)
        assert learning.done("fit", **facts)["split"]["test_rows"] == 30


def test_another_data_set_is_the_held_out_part(learning: Any, rows: str) -> None:
    learning.add_csv(
        "later",
        "class,x,site,day,year\nyes,1,a,2025-01-01,2025\nno,2,b,2025-01-02,2025\nyes,9,c,2025-01-03,2025\n",
        "class",
    )
    other = {"name": "later", "version": 1, "sha256": learning.stored("later")["blob"]["sha256"]}
    facts = learning.facts(rows, "decision-tree", columns=["x"], split=split_by("dataset", dataset=other))
    done = learning.done("fit", **facts)
    assert done["split"] == {"train_rows": 120, "test_rows": 3, "sha256": digest(np.arange(3))}
    tree = DecisionTreeClassifier(random_state=SEED).fit(X[:, None], CLASSES)
    expected = accuracy_score(["yes", "no", "yes"], tree.predict([[1.0], [2.0], [9.0]]))
    assert learning.score(facts, done, [{"name": "accuracy", "average": None}]) == {"accuracy": expected}
    assert learning.reproduce(facts, done)["verdict"] == "bit-identical"


def test_a_data_set_that_does_not_fit_fails_the_training(learning: Any, rows: str) -> None:
    learning.add_csv("never-seen", "x,class\n1,perhaps\n2,no\n", "class")
    other = {"name": "never-seen", "version": 1, "sha256": learning.stored("never-seen")["blob"]["sha256"]}
    facts = learning.facts(rows, "svm", columns=["x"], split=split_by("dataset", dataset=other))
    assert "classes that the model does not know: perhaps" in learning.refusal("fit", **facts)


@pytest.mark.parametrize(
    ("split", "more", "sentence"),
    [
        (split_by("group", "year"), {}, "Column 'year' has one value only: a split by group needs at least two."),
        (split_by("time", "year"), {}, "Column 'year' has one value only: a split by time needs at least two."),
        (split_by("time", "site"), {}, "Column 'site' is string: a split by time needs a column of times or numbers."),
        (split_by("group", "sight"), {}, "The data set has no column 'sight'; it has x, site, day, year, class."),
        (split_by("group", "site"), {"test_size": 0.95}, "would hold out all 9 groups: at most 0.889 leaves one."),
        (split_by("group", "class"), {}, "The rows to learn from would have one class or number only"),
    ],
)
def test_a_split_that_cannot_be_is_refused(learning: Any, rows: str, split: Any, more: Any, sentence: str) -> None:
    facts = learning.facts(rows, "decision-tree", columns=["x"], split=split, **more)
    assert sentence in learning.refusal("fit", **facts)


def test_a_row_without_group_or_time_is_refused(learning: Any) -> None:
    learning.add_csv(
        "gaps", "x,site,class\n" + "".join(f"{i},{'a' if i % 5 else ''},{'ab'[i % 2]}\n" for i in range(20)), "class"
    )
    facts = learning.facts("gaps", "decision-tree", split=split_by("group", "site"))
    assert "Column 'site' has 4 missing values: a split by group needs a value in each row." in learning.refusal(
        "fit", **facts
    )


def test_classes_that_are_held_out_alone_are_warned_of(learning: Any) -> None:
    rows = "".join(f"{i},{i // 10},{'abc'[i // 10 if i > 19 else i % 2]}\n" for i in range(30))
    learning.add_csv("new-class", f"x,week,class\n{rows}", "class")
    facts = learning.facts("new-class", "decision-tree", columns=["x"], split=split_by("time", "week"))
    done = learning.done("fit", **facts)
    assert done["learned"]["warnings"] == ["Held-out rows have classes that were not learned: c."]
    assert learning.score(facts, done, [{"name": "accuracy", "average": None}]) == {"accuracy": 0.0}
