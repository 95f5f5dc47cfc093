"""Discarding: the session closes, all in it is discarded and what runs is ended."""

from __future__ import annotations

from commands.evaluation.request_evaluation import RequestEvaluation
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from domain.errors import ConflictError
from tests.commands.stage import Caller, Stage


def test_discards_all_in_one_append(stage: Stage, ana: Caller) -> None:
    names = [ana.train(), ana.train()]
    before = stage.store.end()[0]
    answer = ana.do(DiscardSession())
    recorded = stage.feed.after(before, 100)
    assert [it.event.NAME for it in recorded] == ["session-discarded.v1"] + ["experiment-discarded.v1"] * 2
    assert {it.commit for it in recorded} == {answer.position}
    assert answer.body == {
        "session": "ana-1",
        "discarded_at": recorded[0].at.isoformat(),
        "discarded": names,
        "position": answer.position,
    }


def test_ends_what_runs(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["score"] = None
    ana.do(RequestEvaluation(), wait=1e-9)
    running = ana.begin_training()
    stage.launcher.child("score")
    ana.do(DiscardSession())
    assert stage.launcher.child("fit", 2).cancelled
    assert stage.launcher.child("score").cancelled
    assert stage.idle()
    assert stage.experiment(name).tasks[f"{name}-e1"].state == "cancelled"
    assert stage.names(f"experiment:{running}")[-1] == "experiment-discarded"


def test_a_result_that_comes_after_it_is_refused(stage: Stage, ana: Caller) -> None:
    """The child is done, but its end is not in the log yet when the session is discarded elsewhere."""
    other = stage.another("worker-2")
    name = ana.train()
    stage.launcher.before_start = lambda _: other.client("ana").do(DiscardSession(), key="elsewhere")
    answer = ana.do(RequestEvaluation(name))
    assert answer.body["state"] == "cancelled"
    assert stage.names(f"experiment:{name}")[-1] == "experiment-discarded"


def test_the_next_training_opens_a_new_session(ana: Caller, stage: Stage) -> None:
    ana.train()
    ana.do(DiscardSession())
    assert stage.experiment(ana.train()).training.session == "ana-2"


def test_without_a_session(stage: Stage, ana: Caller, bo: Caller) -> None:
    bo.train()
    for end in (DiscardSession(), CommitSession()):
        with stage.refused(ConflictError, "no open session"):
            ana.do(DiscardSession())
        ana.train()
        ana.do(end)
    with stage.refused(ConflictError, "no open session"):
        ana.do(DiscardSession())
