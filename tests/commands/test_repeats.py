"""A command runs at most once: its repeat is answered from the log, or joins the running one; a refused one runs."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.host.retry import Retry
from commands.application import Application
from commands.catalog.register_dataset import RegisterDataset
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import Ports
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import ConflictError, KeyReusedError, NotAbleError, NotFoundError
from tests.commands.race import at_once
from tests.commands.stage import Caller, Stage

IRIS = RequestTraining("iris", "logistic-regression")


def test_a_repeat_gets_the_same_answer_without_a_second_task(stage: Stage, ana: Caller) -> None:
    first = ana.do(IRIS, key="k", digest="d")
    ana.train()
    head = stage.store.end()
    assert ana.do(IRIS, key="k", digest="d") == first
    assert stage.store.end() == head
    assert len(stage.launcher.of("fit")) == 2


def test_while_commands_are_refused_a_repeat_is_still_answered(stage: Stage, ana: Caller) -> None:
    first = ana.do(IRIS, key="k")

    def refuse() -> None:
        raise NotAbleError("No command is accepted.")

    stage.application = Application(stage.application.ports, refuse)
    head = stage.store.end()
    assert ana.do(IRIS, key="k") == first
    with pytest.raises(NotAbleError, match="No command is accepted"):
        ana.do(RequestEvaluation())
    assert stage.store.end() == head


def test_a_repeat_is_answered_as_of_then(stage: Stage, ana: Caller) -> None:
    first = ana.do(IRIS, key="k")
    ana.do(RequestEvaluation())
    ana.do(CommitSession())
    assert ana.do(IRIS, key="k") == first
    assert first.body["measures"] == {}
    assert first.body["standing"] == "uncommitted"


def test_a_repeat_keeps_version_and_seed_of_then(ana: Caller) -> None:
    ana.do(RegisterDataset("flowers", "kind", "two-flowers.csv"))
    first = ana.do(RequestTraining("flowers", "svm"), key="k")
    ana.do(RegisterDataset("flowers", "kind", "more-flowers.csv"))
    assert ana.do(RequestTraining("flowers", "svm"), key="k") == first
    assert ana.do(RequestTraining("flowers", "svm")).body["seed"] != first.body["seed"]


def test_a_repeat_by_another_process_gets_the_same_answer(stage: Stage, ana: Caller) -> None:
    first = ana.do(IRIS, key="k")
    restarted = Application(
        Ports(stage.store, stage.application.ports.blobs, stage.launcher, stage.clock, "worker-2", Retry())
    )
    assert restarted.handle(IRIS, ana.call("k"), wait=1) == first


@pytest.mark.parametrize("command", [CommitSession(), DiscardSession(), RequestEvaluation(), RequestReproduction("")])
def test_every_kind_of_repeat(stage: Stage, ana: Caller, command: Any) -> None:
    name = ana.train()
    command = RequestReproduction(name) if isinstance(command, RequestReproduction) else command
    first, head = ana.do(command, key="again"), stage.store.end()
    assert ana.do(command, key="again") == first
    assert stage.store.end() == head


def test_another_body_under_the_same_key_is_refused(stage: Stage, ana: Caller) -> None:
    ana.do(IRIS, key="k", digest="one")
    with stage.refused(KeyReusedError, "another body"):
        ana.do(RequestTraining("wine", "svm"), key="k", digest="two")


def test_the_same_key_of_another_client_is_another_command(ana: Caller, bo: Caller) -> None:
    assert ana.do(IRIS, key="k").body["experiment"] != bo.do(IRIS, key="k").body["experiment"]


def test_a_refused_command_runs_again(stage: Stage, ana: Caller) -> None:
    with stage.refused(ConflictError):
        ana.do(CommitSession(), key="c", digest="d")
    ana.train()
    assert ana.do(CommitSession(), key="c", digest="d").body["session"] == "ana-1"


def test_a_refused_command_may_run_with_another_body(stage: Stage, ana: Caller) -> None:
    with stage.refused(NotFoundError):
        ana.do(RequestTraining("irsi", "svm"), key="k", digest="one")
    assert ana.do(RequestTraining("iris", "svm"), key="k", digest="two").pending is None


def test_a_repeat_joins_the_running_one(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = None
    pending = ana.do(IRIS, key="k", wait=1e-9)
    assert pending.pending
    stage.launcher.child("fit").end()
    answer = ana.do(IRIS, key="k")
    assert (answer.body["state"], answer.body["experiment"]) == ("completed", pending.pending)
    assert len(stage.launcher.of("fit")) == 1


@pytest.mark.parametrize("command", [IRIS, RequestEvaluation(), CommitSession(), DiscardSession()])
def test_repeats_at_the_same_time_are_one(durable_stage: Stage, command: Any) -> None:
    ana = durable_stage.client("ana")
    ana.train()
    durable_stage.launcher.slots = durable_stage.launcher.free = 8  # whoever is first has a slot
    fits = len(durable_stage.launcher.of("fit"))
    answers = at_once(8, lambda _: ana.do(command, key="same", digest="d"))
    assert all(answer == answers[0] for answer in answers)
    assert len(durable_stage.launcher.of("fit")) - fits == (1 if command is IRIS else 0)
    assert len(durable_stage.launcher.of("score")) == (1 if isinstance(command, RequestEvaluation) else 0)


def test_the_second_of_two_racing_repeats_meets_its_own_effect(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look for a first run before either has appended: the slower one sees the session closed by itself."""
    ana.train()
    first = ana.do(CommitSession(), key="c", digest="d")
    find, answers = stage.store.find_append, iter([None])
    monkeypatch.setattr(stage.store, "find_append", lambda append_id: next(answers, find(append_id)))
    assert ana.do(CommitSession(), key="c", digest="d") == first
    answers = iter([None])
    with stage.refused(KeyReusedError):
        ana.do(CommitSession(), key="c", digest="other")
