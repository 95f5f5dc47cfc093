"""A task is claimed by attempts 1, 2, 3, each in its turn; only the worker of the running attempt may end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import experiment_events as events
from domain.errors import ConflictError, NotFoundError
from domain.experiment import Experiment
from tests.domain.facts import (
    CANCELLED,
    COMPLETED,
    DISCARDED,
    E1,
    E1_REQUESTED,
    E1_STARTED,
    FAILED,
    ID,
    OTHER,
    R1,
    R1_REQUESTED,
    R1_STARTED,
    REQUESTED,
    RESULT,
    STARTED,
    TRAINED,
    WORKER,
    experiment,
)
from tests.domain.specification import Fact, fact

SECOND = fact(events.TrainingStarted, task=ID, attempt=2, worker=OTHER)
THIRD = fact(events.TrainingStarted, task=ID, attempt=3, worker=WORKER)


def start(attempt: int, worker: str = WORKER, task: str = ID) -> Callable[[Experiment], None]:
    return lambda it: it.start(task, attempt, worker)


def complete(attempt: int, worker: str = WORKER) -> Callable[[Experiment], None]:
    return lambda it: it.complete_training(attempt, worker, RESULT)


def test_a_waiting_task_is_claimed_by_the_first_attempt() -> None:
    started = experiment(REQUESTED).when(start(1)).then(STARTED)
    assert started.training_state == "started"
    assert (started.tasks[ID].attempt, started.tasks[ID].worker) == (1, WORKER)


@pytest.mark.parametrize("attempt", [0, 2, 3])
def test_a_waiting_task_is_claimed_by_no_other(attempt: int) -> None:
    experiment(REQUESTED).when(start(attempt)).refused(ConflictError, f"as attempt {attempt}")


def test_the_second_claim_of_one_attempt_is_refused() -> None:
    experiment(REQUESTED, STARTED).when(start(1, OTHER)).refused(ConflictError, "it is started, attempt 1")


def test_the_next_attempts_take_over() -> None:
    experiment(REQUESTED, STARTED).when(start(2, OTHER)).then(SECOND)
    experiment(REQUESTED, STARTED, SECOND).when(start(3)).then(THIRD)


def test_there_is_no_fourth_attempt() -> None:
    experiment(REQUESTED, STARTED, SECOND, THIRD).when(start(4)).refused(ConflictError, "as attempt 4")


@pytest.mark.parametrize("end", [COMPLETED, FAILED, CANCELLED, DISCARDED])
def test_what_has_ended_is_not_claimed(end: Fact) -> None:
    for attempt in (1, 2):
        experiment(REQUESTED, STARTED, end).when(start(attempt)).refused(ConflictError, "")


def test_the_running_attempt_completes() -> None:
    done = experiment(REQUESTED, STARTED).when(complete(1)).then(COMPLETED)
    assert done.training_state == "completed"
    assert done.result == RESULT


def test_a_late_result_of_an_earlier_attempt_is_refused() -> None:
    experiment(REQUESTED, STARTED, SECOND).when(complete(1)).refused(ConflictError, "too late")


def test_a_result_of_another_worker_is_refused() -> None:
    experiment(REQUESTED, STARTED).when(complete(1, OTHER)).refused(ConflictError, "too late")


@pytest.mark.parametrize("end", [COMPLETED, FAILED, CANCELLED])
def test_a_result_after_the_end_is_refused(end: Fact) -> None:
    experiment(REQUESTED, STARTED, end).when(complete(1)).refused(ConflictError, "too late")


def test_a_result_after_the_discard_is_refused() -> None:
    experiment(REQUESTED, STARTED, DISCARDED).when(complete(1)).refused(ConflictError, "discarded")


def test_a_result_before_the_start_is_refused() -> None:
    experiment(REQUESTED).when(complete(0)).refused(ConflictError, "too late")


def test_a_failure_of_an_earlier_attempt_is_refused() -> None:
    late = experiment(REQUESTED, STARTED, SECOND).when(lambda it: it.fail(ID, 1, "crashed", "It died."))
    late.refused(ConflictError, "attempt 2")


def test_unknown_tasks_are_refused() -> None:
    experiment(*TRAINED).when(start(1, task=E1)).refused(NotFoundError, E1)


@pytest.mark.parametrize(("task", "given"), [(E1, (E1_REQUESTED, E1_STARTED)), (R1, (R1_REQUESTED, R1_STARTED))])
def test_evaluations_and_reproductions_likewise(task: str, given: tuple[Fact, Fact]) -> None:
    waiting, running = experiment(*TRAINED, given[0]), experiment(*TRAINED, *given)
    waiting.when(start(1, task=task)).then(given[1])
    waiting.when(start(2, task=task)).refused(ConflictError, "as attempt 2")
    running.when(start(1, task=task)).refused(ConflictError, "as attempt 1")
    running.when(start(2, OTHER, task)).then(fact(given[1].kind, task=task, attempt=2, worker=OTHER))
