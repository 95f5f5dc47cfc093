"""Evaluations and reproductions need a completed training, are numbered by kind, and go on after a commit."""

from __future__ import annotations

import pytest

from domain import experiment_events as events
from domain.errors import ConflictError
from domain.experiment import Experiment
from domain.task_status import TRAINING_IN_WORDS
from domain.values import (
    NO_NOTES,
    NOTHING_MEASURED,
    BlobRef,
    EvaluationNotes,
    EvaluationOptions,
    Folds,
    add_measured,
)
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
    assert done.measured["measures"] == {"precision:macro": 0.9}
    assert done.tasks[E1].outcome == NOTHING_MEASURED | {"measures": {"precision:macro": 0.9}}


def test_values_of_an_evaluation_begun_after_the_commit_are_recorded() -> None:
    running = experiment(*TRAINED, COMMITTED, E1_REQUESTED, E1_STARTED)
    running.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {"precision:macro": 0.9})).then(E1_COMPLETED)


def test_values_after_the_discard_are_refused() -> None:
    gone = experiment(*TRAINED, E1_REQUESTED, E1_STARTED, DISCARDED)
    gone.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {})).refused(ConflictError, "is discarded")


def test_why_a_value_is_none_and_what_was_warned_of_is_kept_until_there_is_a_value() -> None:
    table = BlobRef(sha256="e" * 64, size=10)
    notes = EvaluationNotes(
        reasons={"log-loss": "no probabilities"}, warnings=("ill-defined",), tables={"matrix": table}, report=table
    )
    running = experiment(*TRAINED, E1_REQUESTED, E1_STARTED)
    first = running.when(lambda it: it.complete_evaluation(E1, 1, WORKER, {"log-loss": None}, notes)).then(
        fact(events.EvaluationCompleted, task=E1, attempt=1, measures={"log-loss": None}, notes=notes)
    )
    tables = {"matrix": {"blob": table.sha256, "size": 10}}
    noted = {"reasons": {"log-loss": "no probabilities"}, "warnings": ["ill-defined"], "report": table.model_dump()}
    assert first.measured == NOTHING_MEASURED | noted | {"measures": {"log-loss": None} | tables}
    again = add_measured(first.measured, NO_NOTES.told_with({"log-loss": 0.5}))
    assert again == NOTHING_MEASURED | noted | {"measures": {"log-loss": 0.5} | tables, "reasons": {}}


def test_a_later_value_supersedes_all_that_was_noted_of_the_earlier() -> None:
    notes = EvaluationNotes(
        intervals={"f1": (0.2, 0.4)}, resamples=9, spread={"f1": 0.1}, folds={"f1": (0.3, 0.5)}, threshold=0.25
    )
    first = add_measured(NOTHING_MEASURED, notes.told_with({"f1": 0.3}))
    assert (first["intervals"], first["folds"], first["threshold"]) == ({"f1": [0.2, 0.4]}, {"f1": [0.3, 0.5]}, 0.25)
    then = add_measured(first, NO_NOTES.told_with({"f1": 0.4, "mcc": 0.1}))
    assert then == NOTHING_MEASURED | {"measures": {"f1": 0.4, "mcc": 0.1}, "resamples": 9, "threshold": 0.25}


def test_each_value_keeps_the_class_that_it_counts() -> None:
    of = {name: EvaluationNotes(positive=name) for name in "ab"}
    first = add_measured(NOTHING_MEASURED, of["a"].told_with({"f1:binary": 0.3, "recall:binary": 0.4, "mcc": 0.5}))
    then = add_measured(first, of["b"].told_with({"f1:binary": 0.6}))
    assert then["positives"] == {"recall:binary": "a", "f1:binary": "b"}
    at = EvaluationNotes(positive="a", threshold=0.3).told_with({"accuracy/t0.3": 0.9})
    assert at["positives"] == {"accuracy/t0.3": "a"}


def test_an_identity_says_how_it_was_computed() -> None:
    three = Folds(kind="kfold", k=5, repeats=3)
    assert EvaluationOptions(folds=three, threshold=0.3).suffix == "/cv5x3/t0.3"
    assert EvaluationOptions(folds=Folds(kind="kfold", k=5), threshold="best:f1").suffix == "/cv5/best-f1"
    assert EvaluationOptions(folds=Folds(kind="loo")).suffix == "/loo"
    assert EvaluationOptions().suffix == ""


def test_evaluating_again_supersedes_by_identity() -> None:
    second = f"{ID}-e2"
    again = experiment(*TRAINED, E1_REQUESTED, E1_STARTED, E1_COMPLETED).given(
        fact(events.EvaluationRequested, task=second, measures=(PRECISION,), on=IRIS),
        fact(events.EvaluationStarted, task=second, attempt=1, worker=WORKER),
        fact(events.EvaluationCompleted, task=second, attempt=1, measures={"precision:macro": 0.8, "recall:macro": 1}),
    )
    assert again.aggregate().measured["measures"] == {"precision:macro": 0.8, "recall:macro": 1}
    assert again.aggregate().tasks[E1].outcome == NOTHING_MEASURED | {"measures": {"precision:macro": 0.9}}
