"""Proposals and trials of a search, held against scikit-learn's own searches and samplers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    ParameterSampler,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from adapters.learning.search.proposals import plan_rows
from adapters.learning.search.trial import read_searched_rows, thin_folds
from domain.search_space import read_space, rungs
from tests.learning.conftest import Learning

FOLDS = {"kind": "kfold", "k": 5, "repeats": 1}


def model(name: str, **space: Any) -> dict[str, Any]:
    """Return a searched model as the task gets it."""
    ref = {"name": name, "version": "0.1.0", "distribution": "autolearn"}
    dumped = {key: its.model_dump() for key, its in read_space(space).items()}
    return {"model": ref, "settings": {}, "preparation": 2, "space": dumped}


def proposed(learning: Learning, strategy: str, trials: int, *models: dict[str, Any], **others: Any) -> dict[str, Any]:
    facts = learning.facts("iris", models[0]["model"]["name"])
    facts |= {
        "strategy": strategy,
        "trials": trials,
        "models": list(models),
        "round": 1,
        "finished": [],
        "folds": FOLDS,
    }
    return learning.done("propose", **(facts | others))


def tried(learning: Learning, name: str, settings: dict[str, Any], **others: Any) -> dict[str, Any]:
    facts = learning.facts("iris", name, settings=settings)
    facts |= {"folds": FOLDS, "measure": {"name": "accuracy"}, "rows": None}
    return learning.done("trial", **(facts | others))


def test_a_grid_is_scikit_learns_grid(learning: Learning) -> None:
    space = {"C": [0.1, 1, 10], "fit_intercept": [True, False], "class_weight": [None, "balanced"]}
    found = proposed(learning, "grid", 12, model("logistic-regression", **space))
    assert found["last"]
    assert [it["settings"] for it in found["trials"]] == list(ParameterGrid(space))
    assert {(it["model"], it["rows"]) for it in found["trials"]} == {("logistic-regression", None)}


def test_random_trials_are_scikit_learns_sample(learning: Learning) -> None:
    found = proposed(
        learning, "random", 20, model("svm", C="log:1e-4..1", tol="lin:0.1..0.5", kernel=["rbf", "linear"])
    )
    space = {"C": stats.loguniform(1e-4, 1), "tol": stats.uniform(0.1, 0.4), "kernel": ["rbf", "linear"]}
    assert [it["settings"] for it in found["trials"]] == list(ParameterSampler(space, 20, random_state=7))
    assert {type(it["settings"]["C"]) for it in found["trials"]} == {float}


def test_folds_that_the_rows_do_not_allow_are_refused_before_any_trial(learning: Learning) -> None:
    facts = learning.facts("iris", "svm") | {"strategy": "grid", "trials": 2, "models": [model("svm", C=[1, 2])]}
    facts |= {"round": 1, "finished": [], "folds": FOLDS | {"k": 60}}
    assert "fewer than 60 folds: at most 3" in learning.refusal("propose", **facts)


def test_several_models_are_tried_each_with_its_own_settings(learning: Learning) -> None:
    models = model("svm", C=[1, 2]), model("decision-tree", max_depth="int:2..4"), model("naive-bayes")
    found = proposed(learning, "grid", 6, *models)
    assert [(it["model"], it["settings"]) for it in found["trials"]] == [
        ("svm", {"C": 1}),
        ("svm", {"C": 2}),
        *(("decision-tree", {"max_depth": depth}) for depth in (2, 3, 4)),
        ("naive-bayes", {}),
    ]


def test_no_settings_are_drawn_twice(learning: Learning) -> None:
    found = proposed(learning, "random", 30, model("svm", C="lin:0.1..1"), model("naive-bayes"))
    settings = [repr((it["model"], it["settings"])) for it in found["trials"]]
    assert len(settings) == len(set(settings)) == 30


def test_another_seed_draws_other_trials(learning: Learning) -> None:
    space = model("svm", C="log:1e-4..1")
    first, again, other = (proposed(learning, "random", 5, space, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_trial_is_a_row_of_grid_search_cv(learning: Learning) -> None:
    found = tried(learning, "logistic-regression", {"C": 0.5})
    features, target = load_iris(return_X_y=True)
    part = training_rows(learning)
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.5]}, cv=folds, scoring="accuracy")
    rows = search.fit(features[part], target[part]).cv_results_
    assert found["folds"] == [rows[f"split{i}_test_score"][0] for i in range(5)]
    assert (found["mean"], found["std"]) == (rows["mean_test_score"][0], rows["std_test_score"][0])
    assert (found["warnings"], found["reason"], found["lower_is_better"]) == ([], None, False)


def training_rows(learning: Learning) -> Any:
    from sklearn.model_selection import train_test_split

    target = load_iris(return_X_y=True)[1]
    return np.sort(train_test_split(np.arange(150), test_size=0.25, random_state=7, stratify=target)[0])


def test_a_loss_is_told_as_such_and_warnings_are_kept(learning: Learning) -> None:
    found = tried(learning, "logistic-regression", {"max_iter": 1}, measure={"name": "log-loss"})
    assert found["lower_is_better"]
    assert len(found["warnings"]) == 1
    assert "converge" in found["warnings"][0]


def test_a_trial_that_the_estimator_refuses_says_why(learning: Learning) -> None:
    facts = learning.facts("iris", "logistic-regression", settings={"solver": "liblinear"})
    facts |= {"folds": FOLDS, "measure": {"name": "accuracy"}, "rows": None}
    assert "logistic-regression refused these settings" in learning.refusal("trial", **facts)


def test_a_table_ranks_nothing(learning: Learning) -> None:
    facts = learning.facts("iris", "naive-bayes") | {
        "folds": FOLDS,
        "measure": {"name": "confusion-matrix"},
        "rows": None,
    }
    assert "confusion-matrix is a table: rank by a measure" in learning.refusal("trial", **facts)


def test_a_measure_that_is_undefined_in_a_fold_has_no_mean(learning: Learning) -> None:
    found = tried(
        learning, "logistic-regression", {}, measure={"name": "roc-auc", "average": "macro"}, folds={"kind": "loo"}
    )
    assert (found["mean"], found["std"]) == (None, None)
    assert found["reason"] == "The measure is not a number in fold 1."


def test_halving_plans_rows_as_scikit_learn_does() -> None:
    assert plan_rows(1000, 27, 30) == [37, 111, 333, 999]
    assert plan_rows(112, 27, 30) == [30, 90]
    assert plan_rows(20, 27, 30) == [20]
    assert plan_rows(112, 2, 30) == [112]


@pytest.mark.parametrize("candidates", [1, 5, 27, 60])
def test_rungs_are_those_of_scikit_learns_halving_search(candidates: int) -> None:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - the import makes the class below importable
    from sklearn.model_selection import HalvingGridSearchCV

    features, target = load_wine(return_X_y=True)
    space = {"var_smoothing": np.geomspace(1e-9, 1, candidates)}
    search = HalvingGridSearchCV(GaussianNB(), space, cv=3, random_state=1).fit(features, target)
    rows = plan_rows(len(target), candidates, 2 * 3 * 3)
    assert rows == search.n_resources_
    assert rungs(candidates)[: len(rows)] == search.n_candidates_


def test_halving_keeps_the_best_third_for_three_times_the_rows(learning: Learning) -> None:
    space = model("logistic-regression", C="log:1e-4..1")
    first = proposed(learning, "halving", 9, space)
    assert {it["rows"] for it in first["trials"]} == {30}
    assert (len(first["trials"]), first["last"]) == (9, False)
    means = [0.5, 0.9, None, 0.9, 0.1, 0.95, 0.2, 0.3, 0.4]
    finished = [
        {**it, "number": number, "mean": mean, "lower_is_better": False}
        for number, (it, mean) in enumerate(zip(first["trials"], means, strict=True), 1)
    ]
    second = proposed(learning, "halving", 9, space, round=2, finished=finished)
    assert [it["settings"] for it in second["trials"]] == [first["trials"][place]["settings"] for place in (5, 1, 3)]
    assert ({it["rows"] for it in second["trials"]}, second["last"]) == ({90}, True)


def test_a_rung_without_any_mean_is_the_last(learning: Learning) -> None:
    space = model("logistic-regression", C="log:1e-4..1")
    first = proposed(learning, "halving", 9, space)
    finished = [
        {**it, "number": number, "mean": None, "lower_is_better": None} for number, it in enumerate(first["trials"], 1)
    ]
    assert proposed(learning, "halving", 9, space, round=2, finished=finished) == {"trials": [], "last": True}


def test_a_rung_has_its_share_of_the_rows_of_each_fold(learning: Learning) -> None:
    shared = read_searched_rows({**learning.facts("iris", "dummy"), "folds": FOLDS}, learning.blobs)
    for all_of, some in zip(shared.folds, thin_folds(shared, 56, 7), strict=True):
        assert [len(part) for part in some] == [len(part) // 2 for part in all_of]
        assert all(set(few) < set(more) for few, more in zip(some, all_of, strict=True))
        assert len(np.unique(shared.part.target[some[1]])) == 3, "stratified"
    assert tried(learning, "naive-bayes", {}, rows=56)["folds"] != tried(learning, "naive-bayes", {})["folds"]


def play(learning: Learning, trials: int, *models: dict[str, Any], seed: int = 7) -> list[dict[str, Any]]:
    """Search by tpe: the mean is better the nearer C is to 0.01."""
    finished: list[dict[str, Any]] = []
    for number in range(1, 100):
        found = proposed(learning, "tpe", trials, *models, round=number, finished=finished, seed=seed)
        for it in found["trials"]:
            mean = -abs(np.log10(it["settings"].get("C", 1)) + 2)
            finished.append({**it, "number": len(finished) + 1, "mean": mean, "lower_is_better": False})
        if found["last"]:
            break
    return finished


def test_tpe_comes_near_the_best_and_makes_the_same_trials_again(learning: Learning) -> None:
    space = model("svm", C="log:1e-6..1e3", kernel=["rbf", "linear", "poly"], degree="int:2..5")
    found = play(learning, 40, space)
    assert len(found) == 40
    assert found == play(learning, 40, space)
    early, late = (np.mean([it["mean"] for it in part]) for part in (found[:10], found[-10:]))
    assert late > early
    assert {type(it["settings"]["degree"]) for it in found} == {int}
    assert play(learning, 8, space, seed=8) != found[:8]


def test_tpe_takes_several_models_and_ends_where_a_space_does(learning: Learning) -> None:
    found = play(learning, 30, model("svm", C=[1, True, 10]), model("naive-bayes"))
    assert sorted(repr((it["model"], it["settings"])) for it in found) == sorted(
        ["('svm', {'C': 1})", "('svm', {'C': True})", "('svm', {'C': 10})", "('naive-bayes', {})"]
    )


def test_tpe_tries_all_of_a_small_space(learning: Learning) -> None:
    found = play(learning, 40, model("svm", C=[10**power for power in range(8)], degree="int:2..6"))
    assert len({repr(it["settings"]) for it in found}) == len(found) == 40


def test_tpe_goes_on_where_trials_failed(learning: Learning) -> None:
    space = model("svm", C="log:1e-6..1e3")
    first = proposed(learning, "tpe", 8, space)
    failed = [{**it, "number": n, "mean": None, "lower_is_better": None} for n, it in enumerate(first["trials"], 1)]
    second = proposed(learning, "tpe", 8, space, round=2, finished=failed)
    assert (len(second["trials"]), second["last"]) == (4, True)
    assert not [it for it in second["trials"] if it in first["trials"]]
