"""A committed experiment is annotated, withdrawn and restored, each with a reason; nothing else of it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import BadInputError, ConflictError
from domain.experiment import Experiment
from domain.experiment_events import ExperimentAnnotated
from domain.values import MAX_TEXT
from tests.domain.facts import COMMITTED, DISCARDED, REQUESTED, RESTORED, TRAINED, WITHDRAWN, experiment
from tests.domain.specification import Fact, Specification, fact

Change = Callable[[Experiment, str], None]
CHANGES: dict[str, Change] = {
    "annotated": lambda it, reason: it.annotate("good", reason),
    "withdrawn": lambda it, reason: it.withdraw(reason),
    "restored": lambda it, reason: it.restore(reason),
}
committed = experiment(*TRAINED, COMMITTED)
withdrawn = committed.given(WITHDRAWN)


@pytest.mark.parametrize("given", [committed, withdrawn], ids=["committed", "withdrawn"])
def test_annotates(given: Specification[Experiment]) -> None:
    noted = fact(ExperimentAnnotated, text="good", reason="review")
    given.when(lambda it: it.annotate("good", "review")).then(noted)


def test_withdraws_and_restores() -> None:
    assert committed.when(lambda it: it.withdraw("wrong data")).then(WITHDRAWN).withdrawn
    assert not withdrawn.when(lambda it: it.restore("right after all")).then(RESTORED).withdrawn


def test_withdraws_again_after_a_restoration() -> None:
    withdrawn.given(RESTORED).when(lambda it: it.withdraw("wrong data")).then(WITHDRAWN)


def test_withdraws_only_once() -> None:
    withdrawn.when(lambda it: it.withdraw("again")).refused(ConflictError, "withdrawn already")


def test_restores_only_what_is_withdrawn() -> None:
    committed.when(lambda it: it.restore("why not")).refused(ConflictError, "not withdrawn")


@pytest.mark.parametrize("verb", CHANGES)
@pytest.mark.parametrize("given", [(REQUESTED,), TRAINED, (*TRAINED, DISCARDED)])
def test_changes_nothing_uncommitted(verb: str, given: tuple[Fact, ...]) -> None:
    it = experiment(*given).when(lambda it: CHANGES[verb](it, "because"))
    it.refused(ConflictError, f"cannot be {verb}")


@pytest.mark.parametrize("verb", CHANGES)
@pytest.mark.parametrize("reason", ["", " \n", "x" * (MAX_TEXT + 1)])
def test_wants_a_reason(verb: str, reason: str) -> None:
    given = withdrawn if verb == "restored" else committed
    given.when(lambda it: CHANGES[verb](it, reason)).refused(BadInputError, "reason must have 1 to 4096 characters")


@pytest.mark.parametrize("text", ["", "x" * (MAX_TEXT + 1)])
def test_wants_a_text(text: str) -> None:
    committed.when(lambda it: it.annotate(text, "review")).refused(BadInputError, "annotation must have")


def test_takes_the_longest_text() -> None:
    noted = fact(ExperimentAnnotated, text="x" * MAX_TEXT, reason="y")
    committed.when(lambda it: it.annotate("x" * MAX_TEXT, "y")).then(noted)
