"""Evaluations and reproductions need a completed training, are numbered by kind, and go on after a commit."""

from __future__ import annotations

from typing import Any

import pytest

from domain import experiment_events as events
from domain.errors import ConflictError
from domain.experiment import Experiment
from domain.task_status import TRAINING_IN_WORDS
from domain.values import NO_NOTES, BlobRef, EvaluationNotes
from tests.domain.facts import (
    CANCELLED,
    COMMITTED,
    DISCARDED,
    E1,
    E1_COMPLETED,
    E1_REQUESTED,
    E1_STARTED,
    FAILED,
    ID,
    IRIS,
    PRECISION,
    R1_REQUESTED,
    REQUESTED,
    STARTED,
    TRAINED,
    WITHDRAWN,
    WORKER,
    experiment,
)
from tests.domain.specification import Fact, fact

NOTHING_NOTED: dict[str, Any] = {"reasons": {}, "warnings": [], "positive": None}
STANDINGS = [(), (COMMITTED,), (COMMITTED, WITHDRAWN)]


def evaluate(it: Experiment) -> str:
    return it.request_evaluation([PRECISION], None)


@pytest.mark.parametrize("given", STANDINGS)
def test_a_completed_training_is_evaluated(given: tuple[Fact, ...]) -> None:
    asked = experiment(*TRAINED, *given).when(evaluate)
    asked.then(E1_REQUESTED)
    assert asked.returned == E1


@pytest.mark.parametrize("given", STANDINGS)
def test_a_completed_training_is_reproduced(given: tuple[Fact, ...]) -> None:
    experiment(*TRAINED, *given).when(Experiment.request_reproduction).then(R1_REQUESTED)


def test_numbers_count_each_kind_for_itself() -> None:
    some = experiment(*TRAINED, E1_REQUESTED, R1_REQUESTED)
    assert some.when(evaluate).returned == f"{ID}-e2"
    assert some.when(Experiment.request_reproduction).returned == f"{ID}-r2"


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ((), "blank"),
        ((REQUESTED,), "requested"),
        ((REQUESTED, STARTED), "started"),
        ((REQUESTED, STARTED, FAILED), "failed"),
        ((REQUESTED, CANCELLED), "cancelled"),
    ],
)
def test_an_unfinished_training_is_neither(given: tuple[Fact, ...], state: str) -> None:
    unfinished = experiment(*given)
    unfinished.when(evaluate).refused(ConflictError, f"cannot be evaluated: {TRAINING_IN_WORDS[state]}.")
    unfinished.when(Experiment.request_reproduction).refused(ConflictError, "cannot be reproduced")


def test_a_discarded_one_is_neither() -> None:
    gone = experiment(*TRAINED, DISCARDED)
    gone.when(evaluate).refused(ConflictError, "is discarded")
    gone.when(Experiment.request_reproduction).refused(ConflictError, "is discarded")


def test_values_are_recorded() -> None:
    running = experiment(*TRAINED, E1_REQUESTED, E1_STARTED)
    done = running.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {"precision:macro": 0.9})).then(E1_COMPLETED)
    assert done.measures == {"precision:macro": 0.9}
    assert done.tasks[E1].outcome == {"measures": {"precision:macro": 0.9}, **NOTHING_NOTED}


def test_values_of_an_evaluation_begun_after_the_commit_are_recorded() -> None:
    running = experiment(*TRAINED, COMMITTED, E1_REQUESTED, E1_STARTED)
    running.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {"precision:macro": 0.9})).then(E1_COMPLETED)


def test_values_after_the_discard_are_refused() -> None:
    gone = experiment(*TRAINED, E1_REQUESTED, E1_STARTED, DISCARDED)
    gone.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {})).refused(ConflictError, "is discarded")


def test_why_a_value_is_none_and_what_was_warned_of_is_kept_until_there_is_a_value() -> None:
    table = BlobRef(sha256="e" * 64, size=10)
    notes = EvaluationNotes(
        reasons={"log-loss": "no probabilities"}, warnings=("ill-defined",), positive="x", tables={"matrix": table}
    )
    running = experiment(*TRAINED, E1_REQUESTED, E1_STARTED)
    first = running.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {"log-loss": None}, notes)).then(
        fact(events.EvaluationCompleted, task=E1, attempt=1, measures={"log-loss": None}, notes=notes)
    )
    assert first.measures == {"log-loss": None, "matrix": {"blob": table.sha256, "size": 10}}
    assert (first.reasons, first.warnings, first.positive) == ({"log-loss": "no probabilities"}, ("ill-defined",), "x")
    first.add_values({"log-loss": 0.5}, NO_NOTES)
    assert (first.reasons, first.warnings, first.positive) == ({}, ("ill-defined",), "x")


def test_evaluating_again_supersedes_by_identity() -> None:
    second = f"{ID}-e2"
    again = experiment(*TRAINED, E1_REQUESTED, E1_STARTED, E1_COMPLETED).given(
        fact(events.EvaluationRequested, task=second, measures=(PRECISION,), on=IRIS),
        fact(events.EvaluationStarted, task=second, attempt=1, worker=WORKER),
        fact(events.EvaluationCompleted, task=second, attempt=1, measures={"precision:macro": 0.8, "recall:macro": 1}),
    )
    assert again.aggregate().measures == {"precision:macro": 0.8, "recall:macro": 1}
    assert again.aggregate().tasks[E1].outcome == {"measures": {"precision:macro": 0.9}, **NOTHING_NOTED}
