"""Annotating, withdrawing and restoring: what is committed, by its owner or a sys-admin, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.storage.annotate_experiment import AnnotateExperiment
from commands.storage.restore_experiment import RestoreExperiment
from commands.storage.withdraw_experiment import WithdrawExperiment
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from tests.commands.stage import Caller, Stage

CHANGES: dict[str, Callable[[str], Any]] = {
    "annotate": lambda name: AnnotateExperiment(name, "good", "review"),
    "withdraw": lambda name: WithdrawExperiment(name, "wrong data"),
    "restore": lambda name: RestoreExperiment(name, "right after all"),
}


@pytest.fixture
def committed(ana: Caller) -> str:
    name = ana.train()
    ana.do(CommitSession())
    return name


def test_annotates(stage: Stage, ana: Caller, committed: str) -> None:
    answer = ana.do(AnnotateExperiment(committed[:4], "good", "review"))
    event: Any = stage.events(f"experiment:{committed}")[-1]
    assert (event.NAME, event.text, event.reason) == ("experiment-annotated.v1", "good", "review")
    assert event.metadata.actor == "ana"
    assert (answer.body["experiment"], answer.body["withdrawn"]) == (committed, False)
    assert answer.position == stage.store.end()[0]


def test_withdraws_and_restores(stage: Stage, ana: Caller, committed: str) -> None:
    assert ana.do(WithdrawExperiment(committed, "wrong data")).body["withdrawn"] is True
    assert ana.do(RestoreExperiment(committed, "right after all")).body["withdrawn"] is False
    assert stage.names(f"experiment:{committed}")[-2:] == ["experiment-withdrawn", "experiment-restored"]


def test_a_repeat_is_answered_as_of_then(ana: Caller, committed: str) -> None:
    first = ana.do(WithdrawExperiment(committed, "wrong data"), key="w")
    ana.do(RestoreExperiment(committed, "right after all"))
    assert ana.do(WithdrawExperiment(committed, "wrong data"), key="w") == first


def test_a_sysadmin_may(admin: Caller, committed: str) -> None:
    for change in CHANGES.values():
        assert admin.do(change(committed)).body["experiment"] == committed


@pytest.mark.parametrize("verb", CHANGES)
def test_others_may_not(stage: Stage, bo: Caller, committed: str, verb: str) -> None:
    with stage.refused(ForbiddenError, "its owner or by a sys-admin"):
        bo.do(CHANGES[verb](committed))


@pytest.mark.parametrize("verb", CHANGES)
def test_what_is_uncommitted_is_not_changed(stage: Stage, ana: Caller, bo: Caller, admin: Caller, verb: str) -> None:
    name = ana.train()
    with stage.refused(ConflictError, "it is uncommitted, not committed"):
        ana.do(CHANGES[verb](name))
    for stranger in (bo, admin):
        with stage.refused(NotFoundError, "no experiment", nearest=[]):
            stranger.do(CHANGES[verb](name))
    ana.do(DiscardSession())
    with stage.refused(ConflictError, "it is discarded, not committed"):
        ana.do(CHANGES[verb](name))


def test_twice_is_a_conflict(stage: Stage, ana: Caller, committed: str) -> None:
    with stage.refused(ConflictError, "not withdrawn"):
        ana.do(RestoreExperiment(committed, "why not"))
    ana.do(WithdrawExperiment(committed, "wrong data"))
    with stage.refused(ConflictError, "withdrawn already"):
        ana.do(WithdrawExperiment(committed, "again"))


@pytest.mark.parametrize("text", ["", " ", "x" * 4097])
def test_texts_have_a_length(stage: Stage, ana: Caller, committed: str, text: str) -> None:
    with stage.refused(BadInputError, "reason must have 1 to 4096"):
        ana.do(WithdrawExperiment(committed, text))
    with stage.refused(BadInputError, "annotation must have 1 to 4096"):
        ana.do(AnnotateExperiment(committed, text))
