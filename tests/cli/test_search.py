"""Searching: what is asked of the backend, how far it is, and what is shown of a search."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autolearn.tasks import progress_of
from cli import exit_codes
from tests.cli.conftest import Run
from tests.cli.examples import ID, OTHER, search, training, trial
from tests.cli.fake_backend import FakeBackend, Reply, problem

BEGUN = search(state="requested", experiments=[])
THERE = {"Location": f"/searches/{OTHER}"}
SPACE = ("-p", "C=0.1,1,10", "-p", "gamma=log:1e-4..1", "-p", 'class_weight=[null,"balanced"]', "-p", "kernel=rbf")


def test_a_search_is_asked_for_and_followed_to_the_trainings_of_its_best(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/searches", Reply(BEGUN, 202, THERE))
    running = search(trial(1), state="started", experiments=[])
    backend.on("GET", f"/searches/{OTHER}", Reply(running), Reply(search(trial(1), trial(2))))
    backend.on("GET", f"/trainings/{ID}", Reply(training(state="started")), Reply(training()))
    ran = run("search", "wine", "svm,decision-tree", *SPACE, "--strategy", "random", "--trials", "12", "--json")
    space = {"C": "0.1,1,10", "gamma": "log:1e-4..1", "class_weight": [None, "balanced"], "kernel": "rbf"}
    asked = {"dataset": "wine", "models": ["svm", "decision-tree"], "space": space}
    assert backend.seen[0].body == asked | {"strategy": "random", "trials": 12}
    assert (ran.code, ran.json) == (0, search(trial(1), trial(2)))
    assert ran.err == f"Next: autolearn evaluate {ID}\n"
    assert [it.path for it in backend.seen].count(f"/trainings/{ID}") == 2


def test_all_that_can_be_asked_for_is_sent(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/searches", Reply(BEGUN, 202, THERE))
    told = ["--cv", "loo", "--by", "f1:micro", "--keep", "3", "--deadline", "60", "--seed", "5", "--only", "a,b"]
    told += ["--target", "t", "--split", "group:g", "--test-size", "0.3", "--memory", "1000"]
    ran = run("search", "wine", "svm", "-p", "C=1,2", *told, "--no-wait", "--json")
    assert backend.seen[0].body == {
        "dataset": "wine", "models": ["svm"], "space": {"C": "1,2"}, "cv": "loo", "by": "f1:micro", "keep": 3,
        "deadline": 60.0, "seed": 5, "only": ["a", "b"], "target": "t", "split": "group:g", "test_size": 0.3,
        "memory": 1000,
    }  # fmt: skip
    assert (ran.code, ran.err) == (0, f"Next: autolearn wait {OTHER}\n")


def test_an_empty_column_name_is_refused(backend: FakeBackend, run: Run) -> None:
    for given in ([""], ["a", ""], ["a,"]):
        ran = run("search", "wine", "svm", "-p", "C=1,2", *(word for name in given for word in ("--only", name)))
        assert (ran.code, backend.seen) == (2, [])
        assert "column names look like A,B" in ran.err


def test_a_search_without_a_value_has_failed(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/searches", Reply(BEGUN, 202, THERE))
    error = {"reason": "bad-input", "detail": "None of 2 trials has a value: no."}
    failed = trial(1, state="failed", mean=None, std=None, reason="no.")
    backend.on(
        "GET", f"/searches/{OTHER}", Reply(search(failed, state="failed", experiments=[], error=error, failed=1))
    )
    ran = run("search", "wine", "svm", "-p", "C=1,2")
    assert ran.code == exit_codes.DIFFERENT
    assert "error     bad-input: None of 2 trials has a value: no." in ran.out
    assert "1 failed" in ran.out


def test_the_best_trials_are_shown_at_once_and_more_on_demand(backend: FakeBackend, run: Run) -> None:
    found = search(*(trial(number) for number in range(1, 13)))
    backend.on("POST", "/searches", Reply(BEGUN, 202, THERE))
    backend.on("GET", f"/searches/{OTHER}", Reply(found))
    backend.on("GET", f"/trainings/{ID}", Reply(training()))
    ran = run("search", "wine", "svm", "-p", "C=1,2")
    assert "C=5" in ran.out
    assert "C=5.5" not in ran.out
    assert f"The best 10 trials; all: autolearn search show {OTHER}" in ran.err
    assert "C=6" in run("search", "show", OTHER).out


def test_show_is_a_leaderboard_of_what_has_begun(backend: FakeBackend, run: Run) -> None:
    waiting = {"mean": None, "std": None, "seconds": None, "rank": None}
    trials = [trial(1, warnings=["It did not converge."]), trial(2, **waiting, state="started")]
    shown = search(*trials, trial(3, **waiting, state="requested"), completed=1, state="started", experiments=[])
    backend.on("GET", f"/searches/{OTHER}", Reply(shown))
    ran = run("search", "show", OTHER, "--as-of", "@40", "--limit", "50")
    assert backend.seen[0].query.items() >= {"as_of": "@40", "limit": "50"}.items()
    facts, table = ran.out.split("\n\n")
    assert "trials    1 of 12 completed" in facts
    assert [line.split() for line in table.splitlines()] == [
        ["rank", "trial", "state", "mean", "std", "seconds", "settings", "warnings"],
        ["----", "-----", "---------", "----", "----", "-------", "--------", "--------"],
        ["1", "1", "completed", "0.99", "0.01", "0.25", "C=0.5", "1"],
        ["2", "started", "C=1"],
    ]


def test_the_leaderboard_names_models_and_rows_where_they_differ(backend: FakeBackend, run: Run) -> None:
    models = [{"name": "svm"}, {"name": "decision-tree"}]
    shown = search(trial(1, rows=30), strategy="halving", models=models, folds={"kind": "kfold", "k": 3, "repeats": 2})
    backend.on("GET", f"/searches/{OTHER}", Reply(shown))
    ran = run("search", "show", OTHER)
    assert ran.out.split("\n\n")[1].split()[:5] == ["rank", "trial", "state", "model", "rows"]
    assert "models       svm, decision-tree" in ran.out
    assert "folds        3, 2 times" in ran.out


def test_searches_are_listed(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/searches", Reply({"searches": [search(trial(1))], "position": 40}))
    row = run("search", "list").out.splitlines()[2].split()
    assert row == [OTHER, "completed", "ana-1", "wine", "v1", "svm", "grid", "1", "accuracy", "0.99"]
    assert json.loads(run("search", "list", "-o", "jsonl").out)["search"] == OTHER


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("wine",), "Name a model: autolearn search wine MODEL."),
        (("show",), "Name the ID of a search."),
        (("wine", "svm", "-p", "C"), "a setting looks like KEY=VALUE"),
        (("wine", "svm", "-p", "C=1", "-p", "C=2"), "-p C is given twice"),
        (("wine", "svm", "--as-of", "@3"), "of `search show` and `search list`"),
    ],
)
def test_what_cannot_be_understood_is_not_sent(
    backend: FakeBackend, run: Run, words: tuple[str, ...], said: str
) -> None:
    ran = run("search", *words)
    assert (ran.code, backend.seen) == (exit_codes.BAD_INPUT, [])
    assert said in ran.err


@pytest.mark.parametrize("command", ["status", "wait", "cancel"])
def test_an_id_that_no_experiment_has_may_be_that_of_a_search(backend: FakeBackend, run: Run, command: str) -> None:
    method = "DELETE" if command == "cancel" else "GET"
    backend.on(method, f"/trainings/{OTHER}", problem(404, "not-found", "There is no experiment."))
    backend.on(method, f"/searches/{OTHER}", Reply(search(trial(1))))
    ran = run(command, OTHER)
    assert ran.code == 0
    assert f"search       {OTHER}" in ran.out


def test_an_id_that_nothing_has_is_no_experiment(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", f"/trainings/{OTHER}", problem(404, "not-found", "There is no experiment 'x'."))
    backend.on("GET", f"/searches/{OTHER}", problem(404, "not-found", "There is no search 'x'."))
    ran = run("status", OTHER)
    assert (ran.code, "no experiment 'x'" in ran.err) == (exit_codes.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (search(proposed=0, state="requested"), ("Searching: 0 of 12 trials", 0.0)),
        (search(trial(1), failed=2), ("Searching: 3 of 12 trials, best accuracy 0.99 by svm", 0.25)),
        (search(trial(1), proposed=15), ("Searching: 1 of 15 trials, best accuracy 0.99 by svm", 1 / 15)),
    ],
)
def test_progress_is_told_on_a_terminal(body: dict[str, Any], told: tuple[str, float]) -> None:
    assert progress_of(body) == told
