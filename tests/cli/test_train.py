"""Training: what is asked of the backend, and how far a command gets that evaluates and commits as well."""

from __future__ import annotations

import json

import pytest

from cli import exit_codes
from tests.cli.conftest import Run
from tests.cli.examples import ID, evaluation, training
from tests.cli.fake_backend import FakeBackend, Reply, interrupt, problem


def test_train(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201))
    ran = run("train", "iris", "svm", "-p", "C=0.5", "-p", "kernel=rbf", "--seed", "7", "--json")
    settings = {"C": 0.5, "kernel": "rbf"}
    assert backend.seen[0].body == {"dataset": "iris", "model": "svm", "settings": settings, "seed": 7}
    assert ran.json == training()
    assert ran.err == f"Next: autolearn evaluate {ID}\n"


@pytest.mark.parametrize(("attempt", "told"), [(0, False), (1, False), (2, True)])
def test_an_attempt_after_a_lost_one_is_told(backend: FakeBackend, run: Run, attempt: int, told: bool) -> None:
    """`status` showed none, though docs/operations.md sends a sys-admin to look for it."""
    backend.on("GET", f"/trainings/{ID}", Reply(training(state="started", attempt=attempt)))
    assert (f"attempt      {attempt}" in run("status", ID).out) is told


def test_train_follows_what_goes_on_in_the_background(backend: FakeBackend, run: Run) -> None:
    started = training(state="started")
    backend.on("POST", "/trainings", Reply(started, 202, {"Location": f"http://elsewhere/trainings/{ID}"}))
    backend.on("GET", f"/trainings/{ID}", Reply(started), Reply(training()))
    assert run("train", "iris", "svm", "--json").json["state"] == "completed"


def test_train_waits_to_the_end_before_it_evaluates(backend: FakeBackend, run: Run) -> None:
    started = training(state="started")
    backend.on("POST", "/trainings", Reply(started, 202, {"Location": f"/trainings/{ID}"}))
    backend.on("GET", f"/trainings/{ID}", Reply(started), Reply(training()))
    backend.on("POST", "/evaluations", Reply(evaluation(state="requested", measures={}), 202))
    backend.on("GET", f"/evaluations/{ID}-e1", Reply(evaluation(state="started")), Reply(evaluation()))
    ran = run("train", "iris", "svm", "--evaluate", "--json")
    assert (ran.code, ran.json["state"], ran.json["measures"]) == (0, "completed", evaluation()["measures"])


def test_train_without_waiting(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(state="requested"), 202, {"Location": f"/trainings/{ID}"}))
    ran = run("train", "iris", "svm", "--no-wait", "--json")
    assert backend.seen[0].headers["Prefer"] == "respond-async"
    assert len(backend.seen) == 1
    assert (ran.code, ran.json["state"], ran.err) == (0, "requested", f"Next: autolearn wait {ID}\n")


def test_train_and_evaluate(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201))
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    ran = run("train", "iris", "svm", "--test-size", "0.3", "--evaluate", "--json")
    assert backend.seen[0].body["test_size"] == 0.3
    assert backend.seen[1].body == {"experiment": ID, "measures": []}
    expected = {"evaluation": f"{ID}-e1", "measures": evaluation()["measures"], "position": 15}
    assert ran.json == training() | expected
    assert ran.err == ""


def test_a_training_whose_evaluation_is_refused_is_shown_all_the_same(backend: FakeBackend, run: Run) -> None:
    """A process `serve training` knows no evaluations."""
    backend.on("POST", "/trainings", Reply(training(), 201))
    backend.on("POST", "/evaluations", problem(404, "not-found", "No service here has this."))
    ran = run("train", "iris", "svm", "--evaluate", "--json")
    assert (ran.code, ran.json) == (exit_codes.NOT_FOUND, training())
    assert json.loads(ran.err)["detail"] == "No service here has this."


COMMITTED = {"session": "ana-1", "experiments": [ID], "discarded": [], "message": "good", "position": 19, "head": "ab"}


def test_train_evaluate_and_commit_in_one_command(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", Reply(training(standing="uncommitted"), 201))
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    backend.on("POST", "/session/commit", Reply(COMMITTED, headers={"AutoLearn-Audit": "12:cd"}))
    words = ("train", "iris", "svm", "--evaluate", "--commit", "--message", "good")
    ran = run(*words, "--json")
    assert [it.path for it in backend.seen] == ["/trainings", "/evaluations", "/session/commit"]
    assert backend.seen[2].body == {"experiments": [], "message": "good"}
    evaluated = {"evaluation": f"{ID}-e1", "measures": evaluation()["measures"]}
    assert ran.json == training(standing="committed") | evaluated | COMMITTED | {"audit": "12:cd"}
    assert ran.err == "Receipt: autolearn verify --anchor 19:ab --audit-anchor 12:cd\n"
    assert "committed" in run(*words).out
    assert "measures" not in run("train", "iris", "svm", "--commit", "--json").json


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_nothing_is_committed_after_a_step_that_did_not_complete(backend: FakeBackend, run: Run, state: str) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201), Reply(training(state=state, error=None), 201))
    backend.on("POST", "/evaluations", Reply(evaluation(state=state, measures={}), 201))
    for steps in (2, 3):
        ran = run("train", "iris", "svm", "--evaluate", "--commit")
        assert (ran.code, len(backend.seen)) == (1, steps)
        assert "It is not committed.\n" in ran.err


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(problem(409, "unfinished", "Not finished yet."), exit_codes.CONFLICT), (interrupt, exit_codes.INTERRUPTED)],
)
def test_what_was_reached_before_a_commit_failed_is_shown(
    backend: FakeBackend, run: Run, refusal: Reply, code: int
) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201))
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    backend.on("POST", "/session/commit", refusal)
    ran = run("train", "iris", "svm", "--evaluate", "--commit")
    assert (ran.code, "0.9737" in ran.out) == (code, True)
    assert ran.err.startswith("`autolearn session` shows what is not committed.\n")
    ran = run("train", "iris", "svm", "--evaluate", "--commit", "--json")
    assert (ran.code, ran.json["measures"]) == (code, evaluation()["measures"])
