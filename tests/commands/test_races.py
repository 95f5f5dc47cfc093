"""Twenty callers at once: one session, no lost experiment, no commit that misses what it should hold."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from commands.ports import AppendHeader, VersionConflict
from commands.session.commit_session import CommitSession
from commands.training.request_training import RequestTraining
from domain.errors import ConflictError, NotAbleError
from domain.events import Event
from domain.values import session_stream
from tests.commands.race import at_once
from tests.commands.stage import Caller, Stage


def test_twenty_first_trainings_end_in_one_session(durable_stage: Stage) -> None:
    ana = durable_stage.client("ana")
    answers = at_once(20, lambda _: ana.do(RequestTraining("iris", "svm")))
    assert {answer.body["session"] for answer in answers} == {"ana-1"}
    assert durable_stage.names("session:ana:1") == ["session-opened"] + ["experiment-added"] * 20
    assert durable_stage.events("session:ana:2") == []
    assert len({answer.body["experiment"] for answer in answers}) == 20
    assert durable_stage.idle()
    finished = [answer for answer in answers if answer.pending is None]
    assert len(finished) == len(durable_stage.launcher.of("fit")) >= durable_stage.launcher.slots
    assert {answer.body["state"] for answer in finished} == {"completed"}
    assert {answer.body["state"] for answer in answers if answer.pending} <= {"requested"}


def committed_in(stage: Stage, session: str) -> list[tuple[str, ...]]:
    """Return what was committed with a session, if it was."""
    events: list[Any] = list(stage.events(session_stream("ana", int(session.removeprefix("ana-")))))
    return [event.committed for event in events if event.NAME == "session-committed.v1"]


def test_trainings_and_commits_in_a_race_lose_nothing(durable_stage: Stage) -> None:
    ana = durable_stage.client("ana")
    ana.train()

    def act(index: int) -> str | None:
        if index % 4:
            return str(ana.do(RequestTraining("iris", "svm")).body["experiment"])
        with suppress(ConflictError):
            ana.do(CommitSession())
        return None

    for name in filter(None, at_once(12, act)):
        experiment = durable_stage.experiment(name)
        committed = committed_in(durable_stage, experiment.training.session)
        assert experiment.standing == ("committed" if committed else "uncommitted")
        assert all(name in names for names in committed)


def test_one_of_twenty_commits_wins(durable_stage: Stage) -> None:
    ana = durable_stage.client("ana")
    ana.train()

    def commit(_: int) -> str:
        try:
            return str(ana.do(CommitSession()).body["session"])
        except ConflictError as refused:
            return refused.sentence

    outcomes = at_once(20, commit)
    assert outcomes.count("ana-1") == 1
    assert {outcome for outcome in outcomes if outcome != "ana-1"} == {
        "There is no open session: the next training opens one."
    }


def test_who_has_seen_half_of_a_commit_looks_again(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are loaded one after the other: the session was still open, its experiment is committed already."""
    ana.train()
    load, others = stage.store.stream, iter([CommitSession()])

    def between(stream: str, until: int | None = None) -> list[Event]:
        if stream.startswith("experiment:"):
            for command in others:
                ana.do(command)
        return load(stream, until)

    monkeypatch.setattr(stage.store, "stream", between)
    with pytest.raises(ConflictError, match="no open session"):
        ana.do(CommitSession())


@pytest.mark.parametrize("closed", [False, True])
def test_who_sees_the_next_session_opened_by_a_rival_joins_it(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    ana.train()
    ana.do(CommitSession())
    load = stage.store.stream
    rival = [RequestTraining("iris", "svm"), *([CommitSession()] if closed else [])]

    def between(stream: str, until: int | None = None) -> list[Event]:
        if stream == "session:ana:1":
            commands, rival[:] = rival[:], []
            for command in commands:
                ana.do(command)
        return load(stream, until)

    monkeypatch.setattr(stage.store, "stream", between)
    assert ana.do(RequestTraining("iris", "svm")).body["session"] == ("ana-3" if closed else "ana-2")


def test_who_always_loses_gives_up(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def lose(events: Sequence[Event], header: AppendHeader) -> NoReturn:
        raise VersionConflict

    monkeypatch.setattr("adapters.host.retry.time.sleep", pauses.append)
    monkeypatch.setattr(stage.store, "append", lose)
    with stage.refused(NotAbleError, "100 times in a row"):
        ana.train()
    assert len(pauses) == 99


def test_more_at_once_than_all_lanes_let_in_are_all_served(durable_stage: Stage) -> None:
    ana = durable_stage.client("ana")
    answers = at_once(170, lambda _: ana.do(RequestTraining("iris", "svm"), wait=0))
    assert len({answer.body["experiment"] for answer in answers}) == 170
