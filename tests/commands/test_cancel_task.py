"""Cancelling: what waits, what runs, by whom; its process is ended and its late result is nothing."""

from __future__ import annotations

import pytest

from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.session.commit_session import CommitSession
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from tests.commands.launcher import broken
from tests.commands.stage import Caller, Stage


def test_cancels_what_runs_and_ends_its_process(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    answer = ana.do(CancelTask(name))
    assert (answer.body["state"], answer.pending) == ("cancelled", None)
    assert answer.position == answer.body["position"] == stage.store.end()[0]
    assert stage.launcher.child("fit").cancelled
    assert stage.idle()
    assert stage.names(f"experiment:{name}") == ["training-requested", "training-started", "training-cancelled"]


def test_cancels_what_waits(stage: Stage, ana: Caller) -> None:
    name = ana.do(RequestTraining("iris", "svm"), wait=0).body["experiment"]
    assert ana.do(CancelTask(name)).body["state"] == "cancelled"
    assert stage.launcher.children == []


def test_cancels_by_the_beginning_of_an_id(ana: Caller) -> None:
    name = ana.begin_training()
    assert ana.do(CancelTask(name[:6])).body["experiment"] == name


def test_who_waited_is_notified(stage: Stage, ana: Caller) -> None:
    stage.launcher.before_start = lambda spec: ana.do(CancelTask(spec.facts["experiment"]))
    stage.launcher.scripts["fit"] = None
    answer = ana.do(RequestTraining("iris", "svm"))
    assert (answer.body["state"], answer.pending) == ("cancelled", None)


def test_cancels_evaluations_and_reproductions(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts |= {"score": None, "reproduce": None}
    for command, kind, key in (
        (RequestEvaluation(name), "score", "evaluation"),
        (RequestReproduction(name), "reproduce", "reproduction"),
    ):
        task = ana.do(command, wait=1e-9).pending
        assert task is not None
        child = stage.launcher.child(kind)
        answer = ana.do(CancelTask(task))
        assert (answer.body[key], answer.body["state"]) == (task, "cancelled")
        assert child.cancelled


def test_what_is_finished_is_not_cancelled(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    with stage.refused(ConflictError, "is completed already"):
        ana.do(CancelTask(name))
    stage.launcher.scripts["fit"] = broken("crashed")
    failed = ana.train()
    with stage.refused(ConflictError, "is failed already"):
        ana.do(CancelTask(failed))


def test_twice_is_a_conflict(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    ana.do(CancelTask(name))
    assert stage.idle()
    with stage.refused(ConflictError, "is cancelled already"):
        ana.do(CancelTask(name))


def test_a_foreign_one_is_not_there(stage: Stage, ana: Caller, bo: Caller, admin: Caller) -> None:
    name = ana.begin_training()
    for stranger in (bo, admin):
        with stage.refused(NotFoundError, "no experiment", nearest=[]):
            stranger.do(CancelTask(name))


def test_on_a_committed_one_by_its_owner_who_asked_or_a_sysadmin(
    stage: Stage, ana: Caller, bo: Caller, admin: Caller
) -> None:
    name = ana.train()
    ana.do(CommitSession())
    stage.launcher.scripts["score"] = None
    for number, may in enumerate((ana, bo, admin), start=1):
        task = bo.do(RequestEvaluation(name), wait=1e-9).pending
        assert task is not None
        stage.launcher.child("score", number)  # started by now: what `refused` counts does not change meanwhile
        with stage.refused(ForbiddenError, "its owner"):
            stage.client("eve").do(CancelTask(task))
        assert may.do(CancelTask(task)).body["state"] == "cancelled"
        assert stage.idle()  # its slot is free again before the next count


@pytest.mark.parametrize("suffix", ["-e1", "-r1", "-e7"])
def test_unknown_tasks(stage: Stage, ana: Caller, suffix: str) -> None:
    name = ana.train()
    with stage.refused(NotFoundError, "no evaluation or reproduction"):
        ana.do(CancelTask(name + suffix))


@pytest.mark.parametrize("given", ["", "abc"])
def test_too_short(stage: Stage, ana: Caller, given: str) -> None:
    with stage.refused(BadInputError, "too short"):
        ana.do(CancelTask(given))
