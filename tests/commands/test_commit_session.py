"""Committing: all or some, in one append, or nothing at all."""

from __future__ import annotations

from base64 import b32encode
from typing import Any
from uuid import uuid4

import pytest

from commands.call import Call
from commands.cancel_task import CancelTask
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import AppendHeader
from commands.session.commit_session import CommitSession
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import AmbiguousIdError, BadInputError, ConflictError, NotFoundError, UnfinishedError
from domain.events import Aggregate, Metadata
from domain.experiment import Experiment
from domain.session import Session
from domain.values import MAX_EXPERIMENTS_OF_A_SESSION
from tests.commands.launcher import broken
from tests.commands.stage import Caller, Stage
from tests.domain.facts import REQUEST, RESULT


def test_commits_all_in_one_append(stage: Stage, ana: Caller) -> None:
    names = [ana.train(), ana.train()]
    before = stage.store.end()[0]
    answer = ana.do(CommitSession(message="both"))
    recorded = stage.feed.after(before, 100)
    assert [it.event.NAME for it in recorded] == ["session-committed.v1"] + ["experiment-committed.v1"] * 2
    assert {it.commit for it in recorded} == {answer.position}
    assert answer.body == {
        "session": "ana-1",
        "committed_at": recorded[0].at.isoformat(),
        "experiments": names,
        "discarded": [],
        "message": "both",
        "head": stage.store.end()[1].hex(),
        "position": stage.store.end()[0],
    }
    assert answer.head == answer.body["head"]
    assert [stage.experiment(name).standing for name in names] == ["committed"] * 2


def test_commits_some_and_discards_the_rest(stage: Stage, ana: Caller) -> None:
    first, second, third = ana.train(), ana.train(), ana.train()
    body = ana.do(CommitSession((third[:8], first))).body
    assert (body["experiments"], body["discarded"]) == ([first, third], [second])
    assert stage.experiment(second).standing == "discarded"


def test_one_that_is_named_twice_is_committed_once(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    before = stage.store.end()[0]
    assert ana.do(CommitSession((name, name[:8], name))).body["experiments"] == [name]
    events = [it.event.NAME for it in stage.feed.after(before, 100)]
    assert events == ["session-committed.v1", "experiment-committed.v1"]


def test_the_next_training_opens_a_new_session(stage: Stage, ana: Caller) -> None:
    for number in (1, 2, 3):
        ana.train()
        assert ana.do(CommitSession()).body["session"] == f"ana-{number}"


def test_failed_and_cancelled_ones_are_discarded(stage: Stage, ana: Caller) -> None:
    good = ana.train()
    stage.launcher.scripts["fit"] = broken("crashed")
    failed = ana.train()
    cancelled = ana.do(RequestTraining("iris", "svm"), wait=0).body["experiment"]
    ana.do(CancelTask(cancelled))
    body = ana.do(CommitSession()).body
    assert (body["experiments"], body["discarded"]) == ([good], [failed, cancelled])


def test_is_refused_while_something_is_unfinished(stage: Stage, ana: Caller) -> None:
    good, running = ana.train(), ana.begin_training()
    stage.launcher.scripts["score"] = None
    evaluation = ana.do(RequestEvaluation(good), wait=1e-9).pending
    with stage.refused(UnfinishedError, "Not finished yet", unfinished=[evaluation, running]):
        ana.do(CommitSession())
    stage.launcher.child("score").end()
    stage.launcher.child("fit", 2).end()
    assert stage.idle()
    assert ana.do(CommitSession()).body["experiments"] == [good, running]


def test_named_ones_must_be_finished(stage: Stage, ana: Caller) -> None:
    good = ana.train()
    running = ana.begin_training()
    with stage.refused(UnfinishedError, running, unfinished=[running]):
        ana.do(CommitSession((good, running)))
    stage.launcher.scripts["score"] = None
    evaluation = ana.do(RequestEvaluation(good), wait=1e-9).pending
    with stage.refused(UnfinishedError, unfinished=[evaluation]):
        ana.do(CommitSession((good,)))


def test_naming_some_ends_what_runs_in_the_others(stage: Stage, ana: Caller) -> None:
    good, running = ana.train(), ana.begin_training()
    assert ana.do(CommitSession((good,))).body["discarded"] == [running]
    assert stage.launcher.child("fit", 2).cancelled
    assert stage.idle()
    assert stage.names(f"experiment:{running}")[-1] == "experiment-discarded"


def test_a_reproduction_may_go_on(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["reproduce"] = None
    task = ana.do(RequestReproduction(name), wait=1e-9).pending
    assert task is not None
    ana.do(CommitSession())
    stage.launcher.child("reproduce").end()
    stage.until(name, task, "completed")


def test_failed_ones_are_not_committed_by_name(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = broken("crashed")
    failed = ana.train()
    with stage.refused(ConflictError, f"{failed} cannot be committed: its training failed."):
        ana.do(CommitSession((failed,)))


def test_nothing(stage: Stage, ana: Caller) -> None:
    with stage.refused(ConflictError, "no open session"):
        ana.do(CommitSession())
    stage.launcher.scripts["fit"] = broken("crashed")
    ana.train()
    with stage.refused(ConflictError, "nothing to commit"):
        ana.do(CommitSession())


def test_twice(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    ana.do(CommitSession())
    for command in (CommitSession(), CommitSession((name,))):
        with stage.refused(ConflictError, "no open session"):
            ana.do(command)


def test_a_foreign_one(stage: Stage, ana: Caller, bo: Caller) -> None:
    foreign = ana.train()
    own = bo.train()
    with stage.refused(NotFoundError, f"no experiment '{foreign}' in your session"):
        bo.do(CommitSession((own, foreign)))


def test_one_committed_before(stage: Stage, ana: Caller) -> None:
    old = ana.train()
    ana.do(CommitSession())
    ana.train()
    with stage.refused(NotFoundError, f"no experiment '{old}' in your session"):
        ana.do(CommitSession((old,)))


def test_an_unknown_one_is_refused_with_the_nearest(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    wrong = name[:-1] + ("a" if name[-1] != "a" else "b")
    with stage.refused(NotFoundError, wrong, nearest=[name]):
        ana.do(CommitSession((wrong,)))


def test_a_beginning_of_several(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"k1": "abcdaaaaaaaaaaaa", "k2": "abcdbbbbbbbbbbbb"}
    named = {ana.call(key).command_id: name for key, name in keys.items()}
    monkeypatch.setattr(Call, "experiment", property(lambda call: named[call.command_id]))
    for key in keys:
        ana.do(RequestTraining("iris", "svm"), key=key)
    with stage.refused(AmbiguousIdError, "several experiments", candidates=list(keys.values())):
        ana.do(CommitSession(("abcd",)))
    assert ana.do(CommitSession(("abcda",))).body["experiments"] == ["abcdaaaaaaaaaaaa"]


@pytest.mark.parametrize("given", ["", "a", "abc"])
def test_a_beginning_that_is_too_short(stage: Stage, ana: Caller, given: str) -> None:
    name = ana.train()
    with stage.refused(BadInputError, "too short"):
        ana.do(CommitSession((name, given)))


@pytest.mark.parametrize("message", ["", "   ", "x" * 4097])
def test_a_message_has_a_text(stage: Stage, ana: Caller, message: str) -> None:
    ana.train()
    with stage.refused(BadInputError, "message must have 1 to 4096 characters"):
        ana.do(CommitSession(message=message))


def append(stage: Stage, aggregates: list[Aggregate]) -> None:
    events: list[Any] = [event for it in aggregates for event in it.collect_events()]
    stage.store.append(events, AppendHeader(uuid4(), uuid4(), Metadata(actor="ana")))


def trained(number: int) -> Experiment:
    name = b32encode(number.to_bytes(10, "big")).decode().lower()
    it = Experiment.create_blank(f"experiment:{name}")
    it.request_training(**REQUEST)
    it.start(name, 1, "worker-1")
    it.complete_training(1, "worker-1", RESULT)
    return it


def test_the_largest_session_is_committed_in_one_append(stage: Stage, ana: Caller) -> None:
    experiments = [trained(number) for number in range(MAX_EXPERIMENTS_OF_A_SESSION)]
    session = Session.create_blank("session:ana:1")
    session.open("ana")
    for it in experiments:
        session.add(it.name)
    append(stage, [session])
    append(stage, [*experiments[:250]])
    append(stage, [*experiments[250:]])
    with stage.refused(ConflictError, "at most 500 experiments"):
        ana.do(RequestTraining("iris", "svm"))
    before = stage.store.end()[0]
    answer = ana.do(CommitSession())
    assert answer.position == before + 501
    assert answer.body["experiments"] == [it.name for it in experiments]
