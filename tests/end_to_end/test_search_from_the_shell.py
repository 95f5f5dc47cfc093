"""A search as a user lives it: from the shell to a committed model, beside what scikit-learn finds."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.end_to_end.place import Shell

SPACE = {"C": [0.01, 0.1, 1, 10], "fit_intercept": [True, False]}


def test_from_a_search_to_a_committed_model(shell: Shell) -> None:
    before = shell("session").json["position"]
    found = shell(
        "search", "wine", "logistic-regression", "-p", "C=0.01,0.1,1,10", "-p", "fit_intercept=true,false"
    ).json
    assert (found["state"], found["completed"], found["by"]) == ("completed", 8, "accuracy")
    assert sorted(it["rank"] for it in found["trials"]) == list(range(1, 9))
    _equals_grid_search(found)

    (experiment,) = found["experiments"]
    shown = shell("show", experiment).json
    assert (shown["state"], shown["search"], shown["seed"]) == ("completed", found["search"], found["seed"])
    best = found["trials"][0]
    assert shown["settings"].items() >= best["settings"].items()
    assert found["best"] == {key: best[key] for key in ("trial", "model", "settings", "mean", "std")}

    shell("train", "wine", "svm", "-p", "C=2")
    shell("train", "iris", "svm")
    shell("evaluate", experiment, "-m", "accuracy")
    assert shell("session").json["tried"] == {"wine": 9, "iris": 1}
    shell("commit", experiment)
    (row,) = shell("history", "--where", "tried = 9 and accuracy > 0.5").json["experiments"]
    assert (row["experiment"], row["tried"]) == (experiment, 9)
    assert shell("history", "--where", "tried > 9").json["experiments"] == []
    assert shell("reproduce", experiment).json["verdict"] == "bit-identical"
    assert shell("search", "show", found["search"][:6]).json["trials"] == found["trials"]
    assert shell("search", "show", found["search"], "--as-of", f"@{before}", code=5).problem["type"] == "not-found"
    assert shell("verify").json["ok"]


def _equals_grid_search(found: dict) -> None:
    """Hold every trial against GridSearchCV on the same rows and folds."""
    features, target = load_wine(return_X_y=True, as_frame=True)
    seed = found["seed"]
    part, _, classes, _ = train_test_split(features, target, test_size=0.25, random_state=seed, stratify=target)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    space = {f"logisticregression__{name}": values for name, values in SPACE.items()}
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(pipeline, space, scoring="accuracy", cv=folds).fit(part.sort_index(), classes.sort_index())
    results = search.cv_results_
    expected = {
        (it["logisticregression__C"], it["logisticregression__fit_intercept"]): (mean, std)
        for it, mean, std in zip(results["params"], results["mean_test_score"], results["std_test_score"], strict=True)
    }
    for trial in found["trials"]:
        mean, std = expected[trial["settings"]["C"], trial["settings"]["fit_intercept"]]
        assert (trial["mean"], trial["std"]) == (pytest.approx(mean, abs=1e-12), pytest.approx(std, abs=1e-12))


def test_the_same_request_makes_the_same_trials(shell: Shell) -> None:
    words = ("wine", "svm", "-p", "C=log:1e-3..1e3", "--cv", "3", "--trials", "6", "--seed", "5", "--strategy")
    for strategy in ("random", "halving", "tpe"):
        first, again = (shell("search", *words, strategy).json for _ in range(2))
        tried = [
            [(it["trial"], it["settings"], it["rows"], it["mean"]) for it in one["trials"]] for one in (first, again)
        ]
        assert tried[0] == tried[1]
    shell("discard")


def test_what_cannot_be_searched_is_refused_and_changes_nothing(shell: Shell) -> None:
    before = shell("catalog", "datasets").json["position"]
    assert "no end" in str(shell("search", "wine", "svm", "-p", "C=log:1..2", code=2).problem)
    assert "nothing to search" in str(shell("search", "wine", "svm", code=2).problem)
    assert "at most 1000" in str(shell("search", "wine", "svm", "-p", "C=int:1..2000", code=2).problem)
    assert "> 0" in str(shell("search", "wine", "svm", "-p", "C=1,-1", code=2).problem)
    assert "no setting 'max_depth'" in str(shell("search", "wine", "svm", "-p", "max_depth=1,2", code=5).problem)
    assert "cv = 'many' is not allowed" in str(
        shell("search", "wine", "svm", "-p", "C=1,2", "--cv", "many", code=2).problem
    )
    assert shell("search", "show", "aaaaaaaa", code=5).problem["type"] == "not-found"
    assert shell("catalog", "datasets").json["position"] == before
