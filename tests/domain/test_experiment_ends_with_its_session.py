"""An experiment is committed or discarded with its session, once and for ever."""

from __future__ import annotations

import pytest

from domain.errors import ConflictError, NotFoundError, UnfinishedError
from domain.experiment import Experiment
from tests.domain.facts import (
    CANCELLED,
    COMMITTED,
    COMPLETED,
    DISCARDED,
    E1,
    E1_COMPLETED,
    E1_REQUESTED,
    E1_STARTED,
    FAILED,
    ID,
    R1_REQUESTED,
    REQUESTED,
    SESSION,
    STARTED,
    TRAINED,
    experiment,
)
from tests.domain.specification import Fact


def commit(it: Experiment) -> None:
    it.commit(SESSION)


def discard(it: Experiment) -> None:
    it.discard(SESSION)


@pytest.mark.parametrize("given", [(), (E1_REQUESTED, E1_STARTED, E1_COMPLETED), (R1_REQUESTED,)])
def test_a_completed_one_is_committed(given: tuple[Fact, ...]) -> None:
    assert experiment(*TRAINED, *given).when(commit).then(COMMITTED).standing == "committed"


@pytest.mark.parametrize("given", [(REQUESTED,), (REQUESTED, STARTED)])
def test_an_unfinished_training_is_not_committed(given: tuple[Fact, ...]) -> None:
    experiment(*given).when(commit).refused(UnfinishedError, ID, unfinished=[ID])


@pytest.mark.parametrize("given", [(E1_REQUESTED,), (E1_REQUESTED, E1_STARTED)])
def test_nothing_is_committed_while_an_evaluation_is_unfinished(given: tuple[Fact, ...]) -> None:
    experiment(*TRAINED, *given).when(commit).refused(UnfinishedError, E1, unfinished=[E1])


@pytest.mark.parametrize("end", [FAILED, CANCELLED])
def test_what_has_no_model_is_not_committed(end: Fact) -> None:
    experiment(REQUESTED, STARTED, end).when(commit).refused(ConflictError, "cannot be committed: its training ")


@pytest.mark.parametrize("given", [(), (STARTED,), (STARTED, COMPLETED), (STARTED, FAILED), (CANCELLED,)])
def test_anything_is_discarded(given: tuple[Fact, ...]) -> None:
    gone = experiment(REQUESTED, *given).when(discard).then(DISCARDED)
    assert gone.standing == "discarded"
    assert gone.unfinished_tasks("training", "evaluation", "reproduction") == []


@pytest.mark.parametrize(("end", "word"), [(COMMITTED, "committed"), (DISCARDED, "discarded")])
def test_its_end_is_for_ever(end: Fact, word: str) -> None:
    ended = experiment(*TRAINED, end)
    ended.when(commit).refused(ConflictError, f"is {word} already")
    ended.when(discard).refused(ConflictError, f"is {word} already")


def test_what_never_began_does_not_end() -> None:
    experiment().when(commit).refused(NotFoundError, ID)
    experiment().when(discard).refused(NotFoundError, ID)
