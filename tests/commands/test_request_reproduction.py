"""Reproducing: the record goes to the task, the verdict into the log."""

from __future__ import annotations

from commands.session.commit_session import CommitSession
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import ConflictError, NotFoundError
from tests.commands.launcher import broken, done
from tests.commands.stage import Caller, Stage


def test_answers_with_the_verdict(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    answer = ana.do(RequestReproduction(name[:6]))
    assert answer.body == {
        "reproduction": f"{name}-r1",
        "experiment": name,
        "state": "completed",
        "verdict": "bit-identical",
        "differences": [],
        "error": None,
        "position": stage.store.end()[0],
    }
    assert answer.pending is None


def test_tells_the_task_the_whole_record(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    ana.do(RequestReproduction(name))
    facts, fit = stage.launcher.child("reproduce").spec.facts, stage.launcher.child("fit").spec.facts
    result = stage.experiment(name).result
    assert result is not None
    assert facts == fit | {
        "model_blob": result.model_blob.sha256,
        "learned_blob": result.learned_blob.sha256,
        "provenance": {"python": "3.11"},
    }


def test_says_what_differs(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["reproduce"] = done(verdict="different", differences=["coefficients[0]: 1.0, now 2.0"])
    body = ana.do(RequestReproduction(name)).body
    assert (body["verdict"], body["differences"]) == ("different", ["coefficients[0]: 1.0, now 2.0"])


def test_a_verdict_that_is_none_is_a_failure(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["reproduce"] = done(verdict="perhaps", differences=[])
    body = ana.do(RequestReproduction(name)).body
    assert (body["state"], body["verdict"], body["error"]["reason"]) == ("failed", None, "error")


def test_a_broken_one_has_no_verdict(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["reproduce"] = broken("crashed", "It died.")
    body = ana.do(RequestReproduction(name)).body
    assert (body["state"], body["verdict"]) == ("failed", None)
    assert body["error"] == {"reason": "crashed", "detail": "It died."}


def test_without_waiting(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    answer = ana.do(RequestReproduction(name), wait=0)
    assert (answer.pending, answer.body["state"], answer.body["verdict"]) == (f"{name}-r1", "requested", None)


def test_by_anyone_who_may_see_it(stage: Stage, ana: Caller, bo: Caller) -> None:
    name = ana.train()
    with stage.refused(NotFoundError, "no experiment"):
        bo.do(RequestReproduction(name))
    ana.do(CommitSession())
    assert bo.do(RequestReproduction(name)).body["state"] == "completed"


def test_of_what_is_not_trained(stage: Stage, ana: Caller) -> None:
    name = ana.do(RequestTraining("iris", "svm"), wait=0).body["experiment"]
    with stage.refused(ConflictError, "cannot be reproduced: its training has not started yet."):
        ana.do(RequestReproduction(name))
