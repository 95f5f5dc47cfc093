"""How tasks end otherwise: a failure with its reason, a cancellation."""

from __future__ import annotations

import pytest

from domain import experiment_events as events
from domain.errors import ConflictError
from domain.task import MAX_DETAIL
from tests.domain.facts import (
    CANCELLED,
    COMPLETED,
    DISCARDED,
    E1,
    E1_COMPLETED,
    E1_REQUESTED,
    E1_STARTED,
    FAILED,
    ID,
    R1,
    R1_REQUESTED,
    R1_STARTED,
    REQUESTED,
    STARTED,
    TRAINED,
    WORKER,
    experiment,
)
from tests.domain.specification import Fact, fact

ENDS = [COMPLETED, FAILED, CANCELLED]


def test_a_running_training_fails() -> None:
    failed = experiment(REQUESTED, STARTED).when(lambda it: it.fail(ID, 1, "crashed", "It died.")).then(FAILED)
    assert failed.training_state == "failed"
    assert failed.tasks[ID].error == {"reason": "crashed", "detail": "It died."}
    assert failed.result is None


def test_a_waiting_training_can_fail_too() -> None:
    failed = fact(events.TrainingFailed, task=ID, attempt=0, reason="lost", detail="Nobody could run it.")
    experiment(REQUESTED).when(lambda it: it.fail(ID, 0, "lost", "Nobody could run it.")).then(failed)


def test_what_a_failure_says_is_kept_short() -> None:
    long = experiment(REQUESTED, STARTED).when(lambda it: it.fail(ID, 1, "error", "x" * 5000))
    assert len(long.events[0].detail) == MAX_DETAIL


@pytest.mark.parametrize("given", [(REQUESTED,), (REQUESTED, STARTED)])
def test_what_waits_or_runs_is_cancelled(given: tuple[Fact, ...]) -> None:
    cancelled = experiment(*given).when(lambda it: it.cancel(ID)).then(CANCELLED)
    assert cancelled.training_state == "cancelled"
    assert cancelled.unfinished_tasks("training") == []


@pytest.mark.parametrize("end", ENDS)
def test_what_has_ended_neither_fails_nor_is_cancelled(end: Fact) -> None:
    ended = experiment(REQUESTED, STARTED, end)
    ended.when(lambda it: it.fail(ID, 1, "crashed", "")).refused(ConflictError, "cannot fail now")
    ended.when(lambda it: it.cancel(ID)).refused(ConflictError, "already")


def test_the_discard_was_the_end_of_what_ran() -> None:
    gone = experiment(REQUESTED, STARTED, DISCARDED)
    assert gone.aggregate().training_state == "cancelled"
    gone.when(lambda it: it.cancel(ID)).refused(ConflictError, "cancelled already")
    gone.when(lambda it: it.fail(ID, 1, "crashed", "")).refused(ConflictError, "cannot fail now")


def test_the_discard_leaves_ends_as_they_were() -> None:
    given = (E1_REQUESTED, E1_STARTED, E1_COMPLETED, R1_REQUESTED, R1_STARTED)
    tasks = experiment(*TRAINED, *given, DISCARDED).aggregate().tasks
    assert {task: it.state for task, it in tasks.items()} == {ID: "completed", E1: "completed", R1: "cancelled"}


def test_an_evaluation_fails_alone() -> None:
    failed = fact(events.EvaluationFailed, task=E1, attempt=1, reason="deadline", detail="Too slow.")
    running = experiment(*TRAINED, E1_REQUESTED, E1_STARTED)
    after = running.when(lambda it: it.fail(E1, 1, "deadline", "Too slow.")).then(failed)
    assert after.training_state == "completed"
    assert after.measured["measures"] == {}


def test_a_reproduction_is_cancelled_alone() -> None:
    running = experiment(*TRAINED, R1_REQUESTED, R1_STARTED)
    after = running.when(lambda it: it.cancel(R1)).then(fact(events.ReproductionCancelled, task=R1))
    assert after.training_state == "completed"


def test_a_reproduction_ends_with_its_verdict() -> None:
    running = experiment(*TRAINED, R1_REQUESTED, R1_STARTED)
    said = {"verdict": "different", "differences": ("coefficients[0]: 1.0, now 2.0",)}
    after = running.when(lambda it: it.complete_reproduction(R1, 1, WORKER, "different", list(said["differences"])))
    done = after.then(fact(events.ReproductionCompleted, task=R1, attempt=1, **said))
    assert done.tasks[R1].outcome == {"verdict": "different", "differences": ["coefficients[0]: 1.0, now 2.0"]}
